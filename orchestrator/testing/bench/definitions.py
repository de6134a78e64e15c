"""The saga that `saga bench` runs: so many steps over four systems, each with an undo (`SAGA_CATALOGUE`)."""

from __future__ import annotations

import os

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.policy import Retry
from schemas.models import (
    ApproveSupplier,
    ClosePortalAccount,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    ErpPaymentTerms,
    ErpVendorType,
    PaymentTerms,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
    VendorType,
)

__all__ = ["CATALOGUE", "NAME", "REFUSED", "STEPS_VARIABLE", "bench_saga", "make_request"]

NAME = "bench"
STEPS_VARIABLE = "SAGA_BENCH_STEPS"
REFUSED = "refused"
"""The category of a request whose last step is rejected (`consumers.nothing`)."""


def _erp(name: str) -> Step:
    return Step(
        name,
        CreateVendor,
        lambda vendor, _: CreateVendor(
            vendor_name=vendor.vendor_name,
            vendor_type=ErpVendorType(vendor.vendor_type),
            tax_id=vendor.tax_id,
            payment_terms=ErpPaymentTerms(vendor.payment_terms),
            primary_contact_email=vendor.primary_contact_email,
        ),
        undo=Undo(DeactivateVendor, lambda vendor, _: DeactivateVendor(tax_id=vendor.tax_id)),
    )


def _portal(name: str) -> Step:
    return Step(
        name,
        CreatePortalAccount,
        lambda vendor, _: CreatePortalAccount(
            vendor_id=vendor.tax_id,
            vendor_name=vendor.vendor_name,
            primary_contact_email=vendor.primary_contact_email,
        ),
        undo=Undo(ClosePortalAccount, lambda vendor, _: ClosePortalAccount(vendor_id=vendor.tax_id)),
    )


def _mail(name: str) -> Step:
    return Step(
        name,
        SendWelcomeEmail,
        lambda vendor, _: SendWelcomeEmail(
            recipient=vendor.primary_contact_email,
            recipient_name=vendor.primary_contact_name,
            login_url="https://portal.example/login",
        ),
        undo=Undo(
            SendApologyEmail,
            lambda vendor, _: SendApologyEmail(
                recipient=vendor.primary_contact_email, recipient_name=vendor.primary_contact_name
            ),
        ),
    )


def _suppliers(name: str) -> Step:
    return Step(
        name,
        ApproveSupplier,
        lambda vendor, _: ApproveSupplier(
            vendor_id=vendor.tax_id, vendor_name=vendor.vendor_name, tax_id=vendor.tax_id, category=vendor.category
        ),
        undo=Undo(RevokeSupplier, lambda vendor, _: RevokeSupplier(tax_id=vendor.tax_id)),
        retry=Retry(attempts=1),
    )


_KINDS = (_erp, _portal, _mail)


def bench_saga(steps: int) -> Saga:
    """So many steps in a row; the last one is at the system that can refuse."""
    made = [_KINDS[number % len(_KINDS)](f"step-{number + 1}") for number in range(steps - 1)]
    return Saga(NAME, 1, VendorOnboardingRequested, [*made, _suppliers(f"step-{steps}")])


def make_request(number: int, *, refused: bool) -> VendorOnboardingRequested:
    """A request; where `refused`, its saga is compensated."""
    return VendorOnboardingRequested(
        vendor_name=f"Vendor {number}",
        vendor_type=VendorType.SUPPLIER,
        tax_id=f"DE{number:09d}",
        payment_terms=PaymentTerms.NET_30,
        primary_contact_name=f"Ada {number}",
        primary_contact_email=f"ada{number}@example.com",
        category=REFUSED if refused else "bearings",
    )


CATALOGUE = [bench_saga(int(os.environ.get(STEPS_VARIABLE, "4")))]
