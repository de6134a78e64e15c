"""Onboard a vendor: ERP, supplier portal, welcome e-mail, approved-supplier list."""

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
    PortalAccountCreated,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    SupplierApproved,
    VendorCreated,
    VendorOnboardingRequested,
    WelcomeEmailSent,
)

__all__ = ["vendor_onboarding"]

_SOON = Retry(attempts=4, initial=0.2, maximum=5)

vendor_onboarding = Saga(
    "vendor-onboarding",
    version=1,
    request=VendorOnboardingRequested,
    business_key=lambda vendor: vendor.tax_id,
    steps=[
        Step(
            "erp-vendor",
            CreateVendor,
            lambda vendor, done: CreateVendor(
                vendor_name=vendor.vendor_name,
                vendor_type=ErpVendorType(vendor.vendor_type),
                tax_id=vendor.tax_id,
                payment_terms=ErpPaymentTerms(vendor.payment_terms),
                primary_contact_email=vendor.primary_contact_email,
            ),
            undo=Undo(
                DeactivateVendor,
                lambda vendor, done: DeactivateVendor(
                    tax_id=vendor.tax_id,
                    vendor_id=created.vendor_id if (created := done.get(VendorCreated)) else None,
                ),
                verify=True,
            ),
            retry=_SOON,
        ),
        Step(
            "portal-account",
            CreatePortalAccount,
            lambda vendor, done: CreatePortalAccount(
                vendor_id=done[VendorCreated].vendor_id,
                vendor_name=vendor.vendor_name,
                primary_contact_email=vendor.primary_contact_email,
            ),
            undo=Undo(
                ClosePortalAccount,
                lambda vendor, done: ClosePortalAccount(
                    vendor_id=done[VendorCreated].vendor_id,
                    account_id=opened.account_id if (opened := done.get(PortalAccountCreated)) else None,
                ),
            ),
            retry=_SOON,
        ),
        Step(
            "welcome-email",
            SendWelcomeEmail,
            lambda vendor, done: SendWelcomeEmail(
                recipient=vendor.primary_contact_email,
                recipient_name=vendor.primary_contact_name,
                login_url=done[PortalAccountCreated].login_url,
            ),
            undo=Undo(
                SendApologyEmail,
                lambda vendor, done: SendApologyEmail(
                    recipient=vendor.primary_contact_email,
                    recipient_name=vendor.primary_contact_name,
                    in_reply_to=sent.message_id if (sent := done.get(WelcomeEmailSent)) else None,
                ),
                leaves="offset",
            ),
            retry=_SOON,
        ),
        Step(
            "approved-supplier",
            ApproveSupplier,
            lambda vendor, done: ApproveSupplier(
                vendor_id=done[VendorCreated].vendor_id,
                vendor_name=vendor.vendor_name,
                tax_id=vendor.tax_id,
                category=vendor.category,
            ),
            undo=Undo(
                RevokeSupplier,
                lambda vendor, done: RevokeSupplier(
                    tax_id=vendor.tax_id,
                    approval_id=listed.approval_id if (listed := done.get(SupplierApproved)) else None,
                ),
            ),
            retry=_SOON,
        ),
    ],
)
