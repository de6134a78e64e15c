"""Definitions and requests that the tests of the core share."""

from __future__ import annotations

import pytest

from orchestrator.core.definition import Parallel, Saga, Step, Undo
from orchestrator.core.payload import Outputs
from orchestrator.core.policy import Retry
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
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
    VendorOnboardingRequested,
    VendorType,
)


@pytest.fixture
def vendor() -> VendorOnboardingRequested:
    return VendorOnboardingRequested(
        vendor_name="Müller & Söhne",
        vendor_type=VendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=PaymentTerms.NET_30,
        primary_contact_name="Ada Müller",
        primary_contact_email="ada@example.com",
        category="bearings",
    )


@pytest.fixture
def script(vendor: VendorOnboardingRequested) -> Script:
    """A vendor onboarding that has just been requested."""
    made = Script(vendor_onboarding)
    made.request(vendor)
    return made


def _create(request: VendorOnboardingRequested, _: object) -> CreateVendor:
    return CreateVendor(
        vendor_name=request.vendor_name,
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id=request.tax_id,
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email=request.primary_contact_email,
    )


def _deactivate(request: VendorOnboardingRequested, _: object) -> DeactivateVendor:
    return DeactivateVendor(tax_id=request.tax_id)


def _open(request: VendorOnboardingRequested, _: object) -> CreatePortalAccount:
    return CreatePortalAccount(
        vendor_id="V", vendor_name=request.vendor_name, primary_contact_email=request.primary_contact_email
    )


def _close(request: VendorOnboardingRequested, _: object) -> ClosePortalAccount:
    return ClosePortalAccount(vendor_id="V")


def _approve(request: VendorOnboardingRequested, _: object) -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V", vendor_name=request.vendor_name, tax_id=request.tax_id, category="x")


def _revoke(request: VendorOnboardingRequested, _: object) -> RevokeSupplier:
    return RevokeSupplier(tax_id=request.tax_id)


def step(name: str, **details: object) -> Step:
    """An ERP step with an undo."""
    options = {"undo": Undo(DeactivateVendor, _deactivate), "retry": Retry(attempts=2), **details}
    return Step(name, CreateVendor, _create, **options)  # type: ignore[arg-type]


@pytest.fixture
def forked() -> Saga:
    """first → (left | right) → last, whose middle two run at once."""
    return Saga(
        "forked",
        version=1,
        request=VendorOnboardingRequested,
        steps=[
            step("first"),
            Parallel(
                Step("left", CreatePortalAccount, _open, undo=Undo(ClosePortalAccount, _close)),
                Step("right", ApproveSupplier, _approve, undo=Undo(RevokeSupplier, _revoke)),
            ),
            step("last"),
        ],
    )


def _no_mapping(request: VendorOnboardingRequested, done: Outputs) -> DeactivateVendor:
    if request.vendor_name == "Nobody":
        msg = "nobody cannot be undone"
        raise ValueError(msg)
    return DeactivateVendor(tax_id=request.tax_id)


@pytest.fixture
def forgiving() -> Saga:
    """first → (left | right) → third → last, which goes on undoing when one undo is given up."""
    return Saga(
        "forgiving",
        version=1,
        request=VendorOnboardingRequested,
        on_compensation_failure="continue",
        steps=[
            step("first"),
            Parallel(
                Step(
                    "left", CreatePortalAccount, _open, undo=Undo(ClosePortalAccount, _close, retry=Retry(attempts=2))
                ),
                Step("right", ApproveSupplier, _approve, undo=Undo(RevokeSupplier, _revoke, retry=Retry(attempts=2))),
            ),
            step("third", undo=Undo(DeactivateVendor, _no_mapping)),
            step("last"),
        ],
    )


@pytest.fixture
def pivoted() -> Saga:
    """before → pivot (no undo) → after."""
    return Saga(
        "pivoted",
        version=1,
        request=VendorOnboardingRequested,
        steps=[
            step("before"),
            Step("pivot", ApproveSupplier, _approve, irreversible=True, pivot=True, retry=Retry(attempts=2)),
            Step("after", CreatePortalAccount, _open, retry=Retry(attempts=2)),
        ],
    )


@pytest.fixture
def verified() -> Saga:
    """first → (left | right) → last, over within ten minutes, whose undos are looked after."""
    sure = Undo(DeactivateVendor, _deactivate, retry=Retry(attempts=3), verify=True)
    return Saga(
        "verified",
        version=1,
        request=VendorOnboardingRequested,
        deadline=600.0,
        steps=[
            step("first", undo=sure),
            Parallel(
                Step("left", CreatePortalAccount, _open, undo=Undo(ClosePortalAccount, _close, verify=True)),
                Step("right", ApproveSupplier, _approve, undo=Undo(RevokeSupplier, _revoke, leaves="offset")),
            ),
            step("last", undo=sure),
        ],
    )
