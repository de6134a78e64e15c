"""The shipped sagas, and one with a pivot, which none of them has: the catalogue of `test_design_tables`."""

from dataclasses import replace

from orchestrator.core.definition import Saga, Step
from sagas.catalogue import CATALOGUE as SHIPPED
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import VendorOnboardingRequested

_erp, _portal, _mail, _supplier = vendor_onboarding.steps
assert isinstance(_erp, Step)
assert isinstance(_portal, Step)
assert isinstance(_supplier, Step)

pivoted = Saga(
    "pivoted",
    version=1,
    request=VendorOnboardingRequested,
    business_key=lambda vendor: vendor.tax_id,
    steps=[_erp, replace(_supplier, undo=None, irreversible=True, pivot=True), replace(_portal, undo=None)],
)

CATALOGUE = [*SHIPPED, pivoted]
