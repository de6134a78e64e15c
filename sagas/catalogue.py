"""The sagas of this company. `SAGA_CATALOGUE` names this list; several versions of one saga may stand in it."""

from sagas.invoice_processing import invoice_processing
from sagas.vendor_onboarding import vendor_onboarding

__all__ = ["CATALOGUE"]

CATALOGUE = [vendor_onboarding, invoice_processing]
