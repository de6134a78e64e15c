"""The catalogue of `test_design_tables`: the shipped sagas, and one with what they lack.

That is a pivot, and a mapping that can fail.
"""

from dataclasses import replace

from orchestrator.core.definition import Saga, Step
from orchestrator.core.payload import Outputs
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

CATALOGUE = [*SHIPPED, pivoted]
