"""The catalogue of `test_design_tables`: the shipped sagas, and one with what they lack.

That is a pivot, a mapping that can fail, an undo that is given up soon, and a deadline.
"""

from dataclasses import replace

from orchestrator.core.definition import Saga, Step
from orchestrator.core.payload import Outputs
from orchestrator.core.policy import Retry
from sagas.catalogue import CATALOGUE as SHIPPED
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import Record, VendorOnboardingRequested

_erp, _portal, _mail, _supplier = vendor_onboarding.steps
assert isinstance(_erp, Step)
assert isinstance(_portal, Step)
assert isinstance(_supplier, Step)


def _approve(vendor: VendorOnboardingRequested, done: Outputs) -> Record:
    if vendor.category == "no category":
        msg = "there is no such category"
        raise ValueError(msg)
    return _supplier.input(vendor, done)


pivoted = Saga(
    "pivoted",
    version=1,
    request=VendorOnboardingRequested,
    business_key=lambda vendor: vendor.tax_id,
    steps=[
        _erp,
        replace(_supplier, input=_approve, undo=None, irreversible=True, pivot=True),
        replace(_portal, undo=None),
    ],
)

# Its undo in the portal is tried five times, soon after one another.
assert _portal.undo is not None
stubborn = replace(
    vendor_onboarding,
    name="stubborn",
    steps=[
        _erp,
        replace(_portal, undo=replace(_portal.undo, retry=Retry(attempts=5, initial=0.1, maximum=0.2))),
        _mail,
        _supplier,
    ],
)

hasty = replace(vendor_onboarding, name="hasty", deadline=4.0)

CATALOGUE = [*SHIPPED, pivoted, stubborn, hasty]
