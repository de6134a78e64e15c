"""Generated from the .avsc files by `python -m schemas.generate`. Do not edit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.models._record import Contract, EffectClass, Record, Request


class InvoiceProcessed(Record):
    """The invoice is entered."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.InvoiceProcessed",
        type="invoice.processed",
        kind="completion",
        system="erp",
    )
    invoice_id: Annotated[
        str,
        Field(
            description="The ERP's number, INV-….",
        ),
    ]
    posted_on: Annotated[
        date,
        Field(
            description="Posting date.",
        ),
    ]


class InvoiceReversed(Record):
    """The invoice has no effect any more."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.InvoiceReversed",
        type="saga.erp.InvoiceReversed",
        kind="completion",
        system="erp",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class VendorCreated(Record):
    """The vendor exists in the ERP."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.VendorCreated",
        type="saga.erp.VendorCreated",
        kind="completion",
        system="erp",
    )
    vendor_id: Annotated[
        str,
        Field(
            description="The ERP's number, V-….",
        ),
    ]
    created_at: Annotated[
        AwareDatetime,
        Field(
            description="When the ERP created it.",
        ),
    ]


class VendorDeactivated(Record):
    """The vendor is no longer in use in the ERP."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.VendorDeactivated",
        type="saga.erp.VendorDeactivated",
        kind="completion",
        system="erp",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class ApologyEmailSent(Record):
    """The mail server took the message."""

    contract: ClassVar[Contract] = Contract(
        name="saga.mail.ApologyEmailSent",
        type="saga.mail.ApologyEmailSent",
        kind="completion",
        system="mail",
    )
    message_id: Annotated[
        str,
        Field(
            description="The stable Message-ID.",
        ),
    ]


class WelcomeEmailSent(Record):
    """The mail server took the message."""

    contract: ClassVar[Contract] = Contract(
        name="saga.mail.WelcomeEmailSent",
        type="saga.mail.WelcomeEmailSent",
        kind="completion",
        system="mail",
    )
    message_id: Annotated[
        str,
        Field(
            description="The stable Message-ID.",
        ),
    ]


class PortalAccountClosed(Record):
    """The account is closed."""

    contract: ClassVar[Contract] = Contract(
        name="saga.portal.PortalAccountClosed",
        type="saga.portal.PortalAccountClosed",
        kind="completion",
        system="portal",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class PortalAccountCreated(Record):
    """The account exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.portal.PortalAccountCreated",
        type="saga.portal.PortalAccountCreated",
        kind="completion",
        system="portal",
    )
    account_id: Annotated[
        str,
        Field(
            description="The portal's id, P-….",
        ),
    ]
    login_url: Annotated[
        str,
        Field(
            description="Where the vendor signs in.",
        ),
    ]


class SalesforceAccountDeleted(Record):
    """The account is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceAccountDeleted",
        type="saga.salesforce.SalesforceAccountDeleted",
        kind="completion",
        system="salesforce",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SalesforceAccountUpserted(Record):
    """The account exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceAccountUpserted",
        type="saga.salesforce.SalesforceAccountUpserted",
        kind="completion",
        system="salesforce",
    )
    account_id: Annotated[
        str,
        Field(
            description="Salesforce's id.",
        ),
    ]


class SalesforceCaseDeleted(Record):
    """The case is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceCaseDeleted",
        type="saga.salesforce.SalesforceCaseDeleted",
        kind="completion",
        system="salesforce",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SalesforceCaseUpserted(Record):
    """The case exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceCaseUpserted",
        type="saga.salesforce.SalesforceCaseUpserted",
        kind="completion",
        system="salesforce",
    )
    case_id: Annotated[
        str,
        Field(
            description="Salesforce's id.",
        ),
    ]


class SalesforceContactDeleted(Record):
    """The contact is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceContactDeleted",
        type="saga.salesforce.SalesforceContactDeleted",
        kind="completion",
        system="salesforce",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SalesforceContactUpserted(Record):
    """The contact exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceContactUpserted",
        type="saga.salesforce.SalesforceContactUpserted",
        kind="completion",
        system="salesforce",
    )
    contact_id: Annotated[
        str,
        Field(
            description="Salesforce's id.",
        ),
    ]


class StripeCustomerCreated(Record):
    """The customer exists at Stripe."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCustomerCreated",
        type="saga.stripe.StripeCustomerCreated",
        kind="completion",
        system="stripe",
    )
    customer_id: Annotated[
        str,
        Field(
            description="Stripe's id, cus_….",
        ),
    ]


class StripeCustomerDeleted(Record):
    """The customer is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCustomerDeleted",
        type="saga.stripe.StripeCustomerDeleted",
        kind="completion",
        system="stripe",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class StripePaymentAuthorized(Record):
    """Stripe has the payment intent; its status says how far it is."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripePaymentAuthorized",
        type="saga.stripe.StripePaymentAuthorized",
        kind="completion",
        system="stripe",
    )
    payment_intent_id: Annotated[
        str,
        Field(
            description="Stripe's id, pi_….",
        ),
    ]
    status: Annotated[
        str,
        Field(
            description="requires_capture once the amount is reserved.",
        ),
    ]


class StripePaymentCancelled(Record):
    """The payment intent is cancelled."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripePaymentCancelled",
        type="saga.stripe.StripePaymentCancelled",
        kind="completion",
        system="stripe",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class StripePaymentCaptured(Record):
    """The amount is taken."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripePaymentCaptured",
        type="saga.stripe.StripePaymentCaptured",
        kind="completion",
        system="stripe",
    )
    status: Annotated[
        str,
        Field(
            description="succeeded, for one.",
        ),
    ]


class StripePaymentRefunded(Record):
    """The refund is on its way."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripePaymentRefunded",
        type="saga.stripe.StripePaymentRefunded",
        kind="completion",
        system="stripe",
    )
    refund_id: Annotated[
        str,
        Field(
            description="Stripe's id, re_….",
        ),
    ]
    status: Annotated[
        str | None,
        Field(
            description="pending or succeeded, for two.",
        ),
    ] = None


class StripeSubscriptionCancelled(Record):
    """The subscription has ended."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeSubscriptionCancelled",
        type="saga.stripe.StripeSubscriptionCancelled",
        kind="completion",
        system="stripe",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class StripeSubscriptionCreated(Record):
    """The subscription exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeSubscriptionCreated",
        type="saga.stripe.StripeSubscriptionCreated",
        kind="completion",
        system="stripe",
    )
    subscription_id: Annotated[
        str,
        Field(
            description="Stripe's id, sub_….",
        ),
    ]
    status: Annotated[
        str,
        Field(
            description="active or incomplete, for two.",
        ),
    ]


class SupplierApproved(Record):
    """The vendor is on the list."""

    contract: ClassVar[Contract] = Contract(
        name="saga.suppliers.SupplierApproved",
        type="saga.suppliers.SupplierApproved",
        kind="completion",
        system="suppliers",
    )
    approval_id: Annotated[
        str,
        Field(
            description="The list's id, A-….",
        ),
    ]
    approved_at: Annotated[
        AwareDatetime,
        Field(
            description="When it was approved.",
        ),
    ]


class SupplierRevoked(Record):
    """The vendor is off the list."""

    contract: ClassVar[Contract] = Contract(
        name="saga.suppliers.SupplierRevoked",
        type="saga.suppliers.SupplierRevoked",
        kind="completion",
        system="suppliers",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class ControlCommand(StrEnum):
    """saga.engine.ControlCommand."""

    wake = "wake"
    cancel = "cancel"
    pause = "pause"
    resume = "resume"
    retry = "retry"
    resolve = "resolve"
    skip = "skip"
    compensate = "compensate"
    park = "park"


class SagaControl(Record):
    """A timer that fired or an operator's decision."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.SagaControl",
        type="saga.engine.SagaControl",
        kind="engine",
    )
    command: Annotated[
        ControlCommand,
        Field(
            description="What is asked.",
        ),
    ]
    step: Annotated[
        str | None,
        Field(
            description="The step path where one is meant.",
        ),
    ] = None
    direction: Annotated[
        str | None,
        Field(
            description="do or undo, where one is meant.",
        ),
    ] = None
    actor: Annotated[
        str,
        Field(
            description="Who asked; empty for the engine.",
        ),
    ] = ""
    reason: Annotated[
        str,
        Field(
            description="Why; empty for the engine.",
        ),
    ] = ""
    if_revision: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Refuse where the saga's revision is another.",
        ),
    ] = None
    resolved: Annotated[
        str | None,
        Field(
            description="done or not-done: what a person found out about an unknown effect.",
        ),
    ] = None
    output_name: Annotated[
        str | None,
        Field(
            description="Full name of the Avro record in output_json.",
        ),
    ] = None
    output_json: Annotated[
        str | None,
        Field(
            description="Output of a step as a person typed it, JSON.",
        ),
    ] = None


class EndStatus(StrEnum):
    """saga.engine.EndStatus."""

    completed = "completed"
    compensated = "compensated"
    cancelled = "cancelled"
    review = "review"


class SagaEnded(Record):
    """How a saga ended, or that it waits for a person."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.SagaEnded",
        type="saga.engine.SagaEnded",
        kind="engine",
    )
    definition: Annotated[
        str,
        Field(
            description="Name of the definition.",
        ),
    ]
    version: Annotated[
        int,
        Field(
            ge=-2147483648,
            le=2147483647,
            description="Version of the definition.",
        ),
    ]
    status: Annotated[
        EndStatus,
        Field(
            description="completed, compensated and cancelled are final; review is not.",
        ),
    ]
    business_key: Annotated[
        str,
        Field(
            description="What people know the saga by.",
        ),
    ]
    step: Annotated[
        str | None,
        Field(
            description="The step that decided it.",
        ),
    ] = None
    code: Annotated[
        str | None,
        Field(
            description="Stable code of the error.",
        ),
    ] = None
    message: Annotated[
        str | None,
        Field(
            description="For people.",
        ),
    ] = None
    residue: Annotated[
        list[str],
        Field(
            description="Steps whose effect may remain.",
        ),
    ] = Field(default_factory=list)
    outputs: Annotated[
        dict[str, str],
        Field(
            description="Step name to its output as JSON.",
        ),
    ] = Field(default_factory=dict)


class SagaRerun(Record):
    """An operator's decision to undo a step and everything after it, and to do it again."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.SagaRerun",
        type="saga.engine.SagaRerun",
        kind="engine",
    )
    step: Annotated[
        str,
        Field(
            description="The step path to begin again at.",
        ),
    ]
    actor: Annotated[
        str,
        Field(
            description="Who asked.",
        ),
    ] = ""
    reason: Annotated[
        str,
        Field(
            description="Why.",
        ),
    ] = ""
    if_revision: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Refuse where the saga's revision is another.",
        ),
    ] = None
    resolved: Annotated[
        str | None,
        Field(
            description="not-done: a person found out that the step was not done.",
        ),
    ] = None
    request_name: Annotated[
        str | None,
        Field(
            description="Full name of the Avro record in request_json.",
        ),
    ] = None
    request_json: Annotated[
        str | None,
        Field(
            description="The request as these steps are to see it, JSON; null leaves it as it was.",
        ),
    ] = None


class FailureOutcome(StrEnum):
    """saga.engine.FailureOutcome."""

    rejected = "rejected"
    failed = "failed"
    unknown = "unknown"


class StepFailed(Record):
    """Completion of an effect that did not succeed. Which effect it is stands in the headers."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.StepFailed",
        type="saga.engine.StepFailed",
        kind="engine",
    )
    outcome: Annotated[
        FailureOutcome,
        Field(
            description="rejected: not done, will never be. failed: not done, may work later. unknown: may have been done.",
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="Stable code, SCREAMING_SNAKE_CASE.",
        ),
    ]
    message: Annotated[
        str,
        Field(
            description="For people.",
        ),
    ]
    retry_after_ms: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="The system asked to wait this long.",
        ),
    ] = None
    detail: Annotated[
        str | None,
        Field(
            description="More for people, redacted.",
        ),
    ] = None


class SystemAlert(Record):
    """An action of a system fails more than it usually does, or its answers have another shape; and that it is over. Said once."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.SystemAlert",
        type="saga.engine.SystemAlert",
        kind="engine",
    )
    system: Annotated[
        str,
        Field(
            description="Name of the system.",
        ),
    ]
    action: Annotated[
        str,
        Field(
            description="Name of the action.",
        ),
    ]
    kind: Annotated[
        str,
        Field(
            description="error-rate or drift.",
        ),
    ]
    since_ms: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Since when, milliseconds since 1970 UTC.",
        ),
    ]
    ended_ms: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Since when it is over; null while it is not.",
        ),
    ] = None
    changes: Annotated[
        list[str],
        Field(
            description="Of a drift: appeared, vanished or changed type, and the field. Names only, never values.",
        ),
    ] = Field(default_factory=list)
    rate: Annotated[
        float | None,
        Field(
            description="Of an error rate: errors of all calls lately, 0 to 1.",
        ),
    ] = None
    usual: Annotated[
        float | None,
        Field(
            description="Of an error rate: what is usual.",
        ),
    ] = None


class CircuitState(StrEnum):
    """saga.engine.CircuitState."""

    closed = "closed"
    open = "open"


class SystemState(Record):
    """Whether the commands of a system wait, as one of its workers says. Said again while they do, so that silence means that they do not."""

    contract: ClassVar[Contract] = Contract(
        name="saga.engine.SystemState",
        type="saga.engine.SystemState",
        kind="engine",
    )
    system: Annotated[
        str,
        Field(
            description="Name of the system.",
        ),
    ]
    state: Annotated[
        CircuitState,
        Field(
            description="open: its steps get more time, for the reason given. closed: calls are made as commands come.",
        ),
    ]
    since_ms: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Since when, milliseconds since 1970 UTC.",
        ),
    ]
    worker: Annotated[
        str,
        Field(
            description="The worker that says so.",
        ),
    ] = ""
    reason: Annotated[
        str,
        Field(
            description="Why its steps get more time. breaker: the circuit breaker is open, no call is made. pace: more commands wait than the limit lets through. Empty: they do not.",
        ),
    ] = ""
    limit: Annotated[
        float | None,
        Field(
            description="Calls a second that all workers together may make; null without a limit.",
        ),
    ] = None
    rate: Annotated[
        float | None,
        Field(
            description="Calls a second that this worker made lately; null without a limit.",
        ),
    ] = None


class ErpVendorType(StrEnum):
    """saga.erp.ErpVendorType."""

    SUPPLIER = "SUPPLIER"
    CONTRACTOR = "CONTRACTOR"
    SERVICE_PROVIDER = "SERVICE_PROVIDER"


class ErpPaymentTerms(StrEnum):
    """saga.erp.ErpPaymentTerms."""

    NET_15 = "NET_15"
    NET_30 = "NET_30"
    NET_45 = "NET_45"
    NET_60 = "NET_60"


class CreateVendor(Record):
    """Create the vendor's master record."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.CreateVendor",
        type="saga.erp.CreateVendor",
        kind="command",
        system="erp",
        action="create_vendor",
        completion=VendorCreated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "DUPLICATE_TAX_ID": "rejected",
                "INVALID_PAYMENT_TERMS": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Legal name of the vendor.",
        ),
    ]
    vendor_type: Annotated[
        ErpVendorType,
        Field(
            description="What kind of vendor.",
        ),
    ]
    tax_id: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9.\\-]{3,31}$",
            description="Tax identifier; unique per vendor in the ERP.",
        ),
    ]
    payment_terms: Annotated[
        ErpPaymentTerms,
        Field(
            description="Days until an invoice is due.",
        ),
    ]
    primary_contact_email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the vendor is written to.",
        ),
    ]


class DeactivateVendor(Record):
    """Undo CreateVendor. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.DeactivateVendor",
        type="saga.erp.DeactivateVendor",
        kind="command",
        system="erp",
        action="deactivate_vendor",
        completion=VendorDeactivated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    tax_id: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9.\\-]{3,31}$",
            description="Tax identifier; unique per vendor in the ERP.",
        ),
    ]
    vendor_id: Annotated[
        str | None,
        Field(
            description="The ERP's number where the do's reply is known.",
        ),
    ] = None


class ProcessInvoice(Record):
    """Enter an invoice."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.ProcessInvoice",
        type="saga.erp.ProcessInvoice",
        kind="command",
        system="erp",
        action="process_invoice",
        completion=InvoiceProcessed,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "DUPLICATE_INVOICE": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_tax_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Who sent the invoice.",
        ),
    ]
    invoice_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="The vendor's number.",
        ),
    ]
    amount: Annotated[
        Decimal,
        Field(
            max_digits=12,
            decimal_places=2,
            description="Total with tax.",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            pattern="^[A-Z]{3}$",
            description="ISO 4217.",
        ),
    ]
    issued_on: Annotated[
        date,
        Field(
            description="Date on the invoice.",
        ),
    ]
    due_on: Annotated[
        date | None,
        Field(
            description="When it is due.",
        ),
    ] = None


class ReverseInvoice(Record):
    """Undo ProcessInvoice by a reversing entry. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.erp.ReverseInvoice",
        type="saga.erp.ReverseInvoice",
        kind="command",
        system="erp",
        action="reverse_invoice",
        completion=InvoiceReversed,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_tax_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Who sent the invoice.",
        ),
    ]
    invoice_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="The vendor's number.",
        ),
    ]
    invoice_id: Annotated[
        str | None,
        Field(
            description="The ERP's number where the do's reply is known.",
        ),
    ] = None


class SendApologyEmail(Record):
    """A mail cannot be taken back; it is followed by an apology."""

    contract: ClassVar[Contract] = Contract(
        name="saga.mail.SendApologyEmail",
        type="saga.mail.SendApologyEmail",
        kind="command",
        system="mail",
        action="send_apology_email",
        completion=ApologyEmailSent,
        effect="blind",
        errors=MappingProxyType(
            {
                "MAILBOX_UNAVAILABLE": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    recipient: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the vendor is written to.",
        ),
    ]
    recipient_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Used in the greeting.",
        ),
    ]
    in_reply_to: Annotated[
        str | None,
        Field(
            description="Message-ID of the mail that is withdrawn.",
        ),
    ] = None


class SendWelcomeEmail(Record):
    """Welcome the vendor."""

    contract: ClassVar[Contract] = Contract(
        name="saga.mail.SendWelcomeEmail",
        type="saga.mail.SendWelcomeEmail",
        kind="command",
        system="mail",
        action="send_welcome_email",
        completion=WelcomeEmailSent,
        effect="blind",
        errors=MappingProxyType(
            {
                "MAILBOX_UNAVAILABLE": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    recipient: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the vendor is written to.",
        ),
    ]
    recipient_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Used in the greeting.",
        ),
    ]
    login_url: Annotated[
        str,
        Field(
            description="Where the vendor signs in.",
        ),
    ]


class ClosePortalAccount(Record):
    """Undo CreatePortalAccount. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.portal.ClosePortalAccount",
        type="saga.portal.ClosePortalAccount",
        kind="command",
        system="portal",
        action="close_account",
        completion=PortalAccountClosed,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_id: Annotated[
        str,
        Field(
            min_length=1,
            description="The ERP's number.",
        ),
    ]
    account_id: Annotated[
        str | None,
        Field(
            description="The portal's id where the do's reply is known.",
        ),
    ] = None


class CreatePortalAccount(Record):
    """Open the vendor's account on the supplier portal."""

    contract: ClassVar[Contract] = Contract(
        name="saga.portal.CreatePortalAccount",
        type="saga.portal.CreatePortalAccount",
        kind="command",
        system="portal",
        action="create_account",
        completion=PortalAccountCreated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "EMAIL_IN_USE": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_id: Annotated[
        str,
        Field(
            min_length=1,
            description="The ERP's number.",
        ),
    ]
    vendor_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Name shown on the portal.",
        ),
    ]
    primary_contact_email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the vendor is written to.",
        ),
    ]


class SalesforceDeleteAccount(Record):
    """Undo SalesforceUpsertAccount. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceDeleteAccount",
        type="saga.salesforce.SalesforceDeleteAccount",
        kind="command",
        system="salesforce",
        action="delete_account",
        completion=SalesforceAccountDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "DELETE_FAILED": "rejected",
            }
        ),
    )


class SalesforceDeleteCase(Record):
    """Undo SalesforceUpsertCase. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceDeleteCase",
        type="saga.salesforce.SalesforceDeleteCase",
        kind="command",
        system="salesforce",
        action="delete_case",
        completion=SalesforceCaseDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "DELETE_FAILED": "rejected",
            }
        ),
    )


class SalesforceDeleteContact(Record):
    """Undo SalesforceUpsertContact. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceDeleteContact",
        type="saga.salesforce.SalesforceDeleteContact",
        kind="command",
        system="salesforce",
        action="delete_contact",
        completion=SalesforceContactDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "DELETE_FAILED": "rejected",
            }
        ),
    )


class SalesforceUpsertAccount(Record):
    """Create an account, or change the one that this step of this saga has created."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceUpsertAccount",
        type="saga.salesforce.SalesforceUpsertAccount",
        kind="command",
        system="salesforce",
        action="upsert_account",
        completion=SalesforceAccountUpserted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "REQUIRED_FIELD_MISSING": "rejected",
                "FIELD_CUSTOM_VALIDATION_EXCEPTION": "rejected",
                "DUPLICATES_DETECTED": "rejected",
            }
        ),
    )
    account_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Name of the company.",
        ),
    ]
    website: Annotated[
        str | None,
        Field(
            max_length=255,
            description="Where it is on the web.",
        ),
    ] = None


class SalesforceUpsertCase(Record):
    """Create a case, or change the one that this step of this saga has created."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceUpsertCase",
        type="saga.salesforce.SalesforceUpsertCase",
        kind="command",
        system="salesforce",
        action="upsert_case",
        completion=SalesforceCaseUpserted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "REQUIRED_FIELD_MISSING": "rejected",
                "FIELD_CUSTOM_VALIDATION_EXCEPTION": "rejected",
                "DUPLICATES_DETECTED": "rejected",
            }
        ),
    )
    subject: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="In a line.",
        ),
    ]
    description: Annotated[
        str | None,
        Field(
            max_length=32000,
            description="All of it.",
        ),
    ] = None
    account_id: Annotated[
        str | None,
        Field(
            max_length=18,
            description="Salesforce's id of the company.",
        ),
    ] = None


class SalesforceUpsertContact(Record):
    """Create a contact, or change the one that this step of this saga has created."""

    contract: ClassVar[Contract] = Contract(
        name="saga.salesforce.SalesforceUpsertContact",
        type="saga.salesforce.SalesforceUpsertContact",
        kind="command",
        system="salesforce",
        action="upsert_contact",
        completion=SalesforceContactUpserted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "REQUIRED_FIELD_MISSING": "rejected",
                "FIELD_CUSTOM_VALIDATION_EXCEPTION": "rejected",
                "DUPLICATES_DETECTED": "rejected",
            }
        ),
    )
    last_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=80,
            description="Family name.",
        ),
    ]
    first_name: Annotated[
        str | None,
        Field(
            max_length=40,
            description="Given name.",
        ),
    ] = None
    email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the person is written to.",
        ),
    ] = None
    account_id: Annotated[
        str | None,
        Field(
            max_length=18,
            description="Salesforce's id of the company.",
        ),
    ] = None


class StripeAuthorizePayment(Record):
    """Reserve an amount on a customer's payment method, to be captured later."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeAuthorizePayment",
        type="saga.stripe.StripeAuthorizePayment",
        kind="command",
        system="stripe",
        action="authorize_payment",
        completion=StripePaymentAuthorized,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "CARD_DECLINED": "rejected",
                "EXPIRED_CARD": "rejected",
                "AMOUNT_TOO_SMALL": "rejected",
                "AMOUNT_TOO_LARGE": "rejected",
            }
        ),
    )
    customer_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, cus_….",
        ),
    ]
    payment_method_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, pm_….",
        ),
    ]
    amount_minor: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="In the currency's smallest unit: cents for EUR.",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            pattern="^[a-z]{3}$",
            description="ISO 4217, in small letters.",
        ),
    ]


class StripeCancelPayment(Record):
    """Undo StripeAuthorizePayment; a reserved amount is released. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCancelPayment",
        type="saga.stripe.StripeCancelPayment",
        kind="command",
        system="stripe",
        action="cancel_payment",
        completion=StripePaymentCancelled,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "PAYMENT_INTENT_UNEXPECTED_STATE": "rejected",
            }
        ),
    )
    payment_intent_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, pi_….",
        ),
    ]


class StripeCancelSubscription(Record):
    """Undo StripeCreateSubscription at once. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCancelSubscription",
        type="saga.stripe.StripeCancelSubscription",
        kind="command",
        system="stripe",
        action="cancel_subscription",
        completion=StripeSubscriptionCancelled,
        effect="idempotent",
    )
    subscription_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, sub_….",
        ),
    ]


class StripeCapturePayment(Record):
    """Take the reserved amount."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCapturePayment",
        type="saga.stripe.StripeCapturePayment",
        kind="command",
        system="stripe",
        action="capture_payment",
        completion=StripePaymentCaptured,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "PAYMENT_INTENT_UNEXPECTED_STATE": "rejected",
                "AMOUNT_TOO_LARGE": "rejected",
            }
        ),
    )
    payment_intent_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, pi_….",
        ),
    ]
    amount_minor: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Less than what was reserved; all of it if left out.",
        ),
    ] = None


class StripeCreateCustomer(Record):
    """Create a customer."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCreateCustomer",
        type="saga.stripe.StripeCreateCustomer",
        kind="command",
        system="stripe",
        action="create_customer",
        completion=StripeCustomerCreated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "EMAIL_INVALID": "rejected",
            }
        ),
    )
    email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the customer is written to.",
        ),
    ]
    customer_name: Annotated[
        str,
        Field(
            max_length=256,
            description="Full name or name of the company.",
        ),
    ]
    description: Annotated[
        str | None,
        Field(
            max_length=350,
            description="Shown in Stripe's dashboard.",
        ),
    ] = None


class StripeCreateSubscription(Record):
    """Subscribe a customer to a price."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeCreateSubscription",
        type="saga.stripe.StripeCreateSubscription",
        kind="command",
        system="stripe",
        action="create_subscription",
        completion=StripeSubscriptionCreated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "CARD_DECLINED": "rejected",
            }
        ),
    )
    customer_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, cus_….",
        ),
    ]
    price_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, price_….",
        ),
    ]
    quantity: Annotated[
        int | None,
        Field(
            ge=-2147483648,
            le=2147483647,
            description="How many.",
        ),
    ] = None


class StripeDeleteCustomer(Record):
    """Undo StripeCreateCustomer. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeDeleteCustomer",
        type="saga.stripe.StripeDeleteCustomer",
        kind="command",
        system="stripe",
        action="delete_customer",
        completion=StripeCustomerDeleted,
        effect="idempotent",
    )
    customer_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, cus_….",
        ),
    ]


class StripeRefundPayment(Record):
    """Undo StripeCapturePayment; the money goes back."""

    contract: ClassVar[Contract] = Contract(
        name="saga.stripe.StripeRefundPayment",
        type="saga.stripe.StripeRefundPayment",
        kind="command",
        system="stripe",
        action="refund_payment",
        completion=StripePaymentRefunded,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "CHARGE_ALREADY_REFUNDED": "unknown",
            }
        ),
    )
    payment_intent_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Stripe's id, pi_….",
        ),
    ]
    amount_minor: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="All of it if left out.",
        ),
    ] = None


class ApproveSupplier(Record):
    """Put the vendor on the approved-supplier list."""

    contract: ClassVar[Contract] = Contract(
        name="saga.suppliers.ApproveSupplier",
        type="saga.suppliers.ApproveSupplier",
        kind="command",
        system="suppliers",
        action="approve",
        completion=SupplierApproved,
        effect="queryable",
        errors=MappingProxyType(
            {
                "ALREADY_APPROVED": "rejected",
                "NOT_ELIGIBLE": "rejected",
                "SANCTIONED": "rejected",
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    vendor_id: Annotated[
        str,
        Field(
            min_length=1,
            description="The ERP's number.",
        ),
    ]
    vendor_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Legal name of the vendor.",
        ),
    ]
    tax_id: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9.\\-]{3,31}$",
            description="Tax identifier; unique per vendor in the ERP.",
        ),
    ]
    category: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="What is bought from the vendor.",
        ),
    ]


class RevokeSupplier(Record):
    """Undo ApproveSupplier. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.suppliers.RevokeSupplier",
        type="saga.suppliers.RevokeSupplier",
        kind="command",
        system="suppliers",
        action="revoke",
        completion=SupplierRevoked,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "TRANSIENT_ERROR": "failed",
            }
        ),
    )
    tax_id: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9.\\-]{3,31}$",
            description="Tax identifier; unique per vendor in the ERP.",
        ),
    ]
    approval_id: Annotated[
        str | None,
        Field(
            description="The list's id where the do's reply is known.",
        ),
    ] = None


class ProcessInvoiceRequested(Request):
    """An agent asks that an invoice be entered in the ERP."""

    contract: ClassVar[Contract] = Contract(
        name="saga.invoice.ProcessInvoiceRequested",
        type="invoice.process_request",
        kind="request",
        definition="invoice-processing",
    )
    vendor_tax_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Who sent the invoice.",
        ),
    ]
    invoice_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="The vendor's number.",
        ),
    ]
    amount: Annotated[
        Decimal,
        Field(
            max_digits=12,
            decimal_places=2,
            description="Total with tax.",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            pattern="^[A-Z]{3}$",
            description="ISO 4217.",
        ),
    ]
    issued_on: Annotated[
        date,
        Field(
            description="Date on the invoice.",
        ),
    ]
    due_on: Annotated[
        date | None,
        Field(
            description="When it is due.",
        ),
    ] = None


class VendorType(StrEnum):
    """saga.vendor.VendorType."""

    SUPPLIER = "SUPPLIER"
    CONTRACTOR = "CONTRACTOR"
    SERVICE_PROVIDER = "SERVICE_PROVIDER"


class PaymentTerms(StrEnum):
    """saga.vendor.PaymentTerms."""

    NET_15 = "NET_15"
    NET_30 = "NET_30"
    NET_45 = "NET_45"
    NET_60 = "NET_60"


class VendorOnboardingRequested(Request):
    """An agent asks that a vendor be onboarded in every system."""

    contract: ClassVar[Contract] = Contract(
        name="saga.vendor.VendorOnboardingRequested",
        type="saga.vendor.VendorOnboardingRequested",
        kind="request",
        definition="vendor-onboarding",
    )
    vendor_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Legal name of the vendor.",
        ),
    ]
    vendor_type: Annotated[
        VendorType,
        Field(
            description="What kind of vendor.",
        ),
    ]
    tax_id: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9.\\-]{3,31}$",
            description="Tax identifier; unique per vendor in the ERP.",
        ),
    ]
    payment_terms: Annotated[
        PaymentTerms,
        Field(
            description="Days until an invoice is due.",
        ),
    ]
    primary_contact_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Who is written to.",
        ),
    ]
    primary_contact_email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the vendor is written to.",
        ),
    ]
    category: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="What is bought from the vendor.",
        ),
    ]
    country: Annotated[
        str | None,
        Field(
            pattern="^[A-Z]{2}$",
            description="ISO 3166-1 alpha-2.",
        ),
    ] = None
    annual_spend: Annotated[
        Decimal | None,
        Field(
            max_digits=12,
            decimal_places=2,
            description="Expected spend per year, in the company's currency.",
        ),
    ] = None
    valid_from: Annotated[
        date | None,
        Field(
            description="First day on which the vendor may be used.",
        ),
    ] = None


BY_NAME: Mapping[str, type[Record]] = MappingProxyType(
    {
        "saga.engine.SagaControl": SagaControl,
        "saga.engine.SagaEnded": SagaEnded,
        "saga.engine.SagaRerun": SagaRerun,
        "saga.engine.StepFailed": StepFailed,
        "saga.engine.SystemAlert": SystemAlert,
        "saga.engine.SystemState": SystemState,
        "saga.erp.CreateVendor": CreateVendor,
        "saga.erp.DeactivateVendor": DeactivateVendor,
        "saga.erp.InvoiceProcessed": InvoiceProcessed,
        "saga.erp.InvoiceReversed": InvoiceReversed,
        "saga.erp.ProcessInvoice": ProcessInvoice,
        "saga.erp.ReverseInvoice": ReverseInvoice,
        "saga.erp.VendorCreated": VendorCreated,
        "saga.erp.VendorDeactivated": VendorDeactivated,
        "saga.invoice.ProcessInvoiceRequested": ProcessInvoiceRequested,
        "saga.mail.ApologyEmailSent": ApologyEmailSent,
        "saga.mail.SendApologyEmail": SendApologyEmail,
        "saga.mail.SendWelcomeEmail": SendWelcomeEmail,
        "saga.mail.WelcomeEmailSent": WelcomeEmailSent,
        "saga.portal.ClosePortalAccount": ClosePortalAccount,
        "saga.portal.CreatePortalAccount": CreatePortalAccount,
        "saga.portal.PortalAccountClosed": PortalAccountClosed,
        "saga.portal.PortalAccountCreated": PortalAccountCreated,
        "saga.salesforce.SalesforceAccountDeleted": SalesforceAccountDeleted,
        "saga.salesforce.SalesforceAccountUpserted": SalesforceAccountUpserted,
        "saga.salesforce.SalesforceCaseDeleted": SalesforceCaseDeleted,
        "saga.salesforce.SalesforceCaseUpserted": SalesforceCaseUpserted,
        "saga.salesforce.SalesforceContactDeleted": SalesforceContactDeleted,
        "saga.salesforce.SalesforceContactUpserted": SalesforceContactUpserted,
        "saga.salesforce.SalesforceDeleteAccount": SalesforceDeleteAccount,
        "saga.salesforce.SalesforceDeleteCase": SalesforceDeleteCase,
        "saga.salesforce.SalesforceDeleteContact": SalesforceDeleteContact,
        "saga.salesforce.SalesforceUpsertAccount": SalesforceUpsertAccount,
        "saga.salesforce.SalesforceUpsertCase": SalesforceUpsertCase,
        "saga.salesforce.SalesforceUpsertContact": SalesforceUpsertContact,
        "saga.stripe.StripeAuthorizePayment": StripeAuthorizePayment,
        "saga.stripe.StripeCancelPayment": StripeCancelPayment,
        "saga.stripe.StripeCancelSubscription": StripeCancelSubscription,
        "saga.stripe.StripeCapturePayment": StripeCapturePayment,
        "saga.stripe.StripeCreateCustomer": StripeCreateCustomer,
        "saga.stripe.StripeCreateSubscription": StripeCreateSubscription,
        "saga.stripe.StripeCustomerCreated": StripeCustomerCreated,
        "saga.stripe.StripeCustomerDeleted": StripeCustomerDeleted,
        "saga.stripe.StripeDeleteCustomer": StripeDeleteCustomer,
        "saga.stripe.StripePaymentAuthorized": StripePaymentAuthorized,
        "saga.stripe.StripePaymentCancelled": StripePaymentCancelled,
        "saga.stripe.StripePaymentCaptured": StripePaymentCaptured,
        "saga.stripe.StripePaymentRefunded": StripePaymentRefunded,
        "saga.stripe.StripeRefundPayment": StripeRefundPayment,
        "saga.stripe.StripeSubscriptionCancelled": StripeSubscriptionCancelled,
        "saga.stripe.StripeSubscriptionCreated": StripeSubscriptionCreated,
        "saga.suppliers.ApproveSupplier": ApproveSupplier,
        "saga.suppliers.RevokeSupplier": RevokeSupplier,
        "saga.suppliers.SupplierApproved": SupplierApproved,
        "saga.suppliers.SupplierRevoked": SupplierRevoked,
        "saga.vendor.VendorOnboardingRequested": VendorOnboardingRequested,
    }
)

__all__ = [
    "ApologyEmailSent",
    "ApproveSupplier",
    "BY_NAME",
    "CircuitState",
    "ClosePortalAccount",
    "Contract",
    "ControlCommand",
    "CreatePortalAccount",
    "CreateVendor",
    "DeactivateVendor",
    "EffectClass",
    "EndStatus",
    "ErpPaymentTerms",
    "ErpVendorType",
    "FailureOutcome",
    "InvoiceProcessed",
    "InvoiceReversed",
    "PaymentTerms",
    "PortalAccountClosed",
    "PortalAccountCreated",
    "ProcessInvoice",
    "ProcessInvoiceRequested",
    "Record",
    "Request",
    "ReverseInvoice",
    "RevokeSupplier",
    "SagaControl",
    "SagaEnded",
    "SagaRerun",
    "SalesforceAccountDeleted",
    "SalesforceAccountUpserted",
    "SalesforceCaseDeleted",
    "SalesforceCaseUpserted",
    "SalesforceContactDeleted",
    "SalesforceContactUpserted",
    "SalesforceDeleteAccount",
    "SalesforceDeleteCase",
    "SalesforceDeleteContact",
    "SalesforceUpsertAccount",
    "SalesforceUpsertCase",
    "SalesforceUpsertContact",
    "SendApologyEmail",
    "SendWelcomeEmail",
    "StepFailed",
    "StripeAuthorizePayment",
    "StripeCancelPayment",
    "StripeCancelSubscription",
    "StripeCapturePayment",
    "StripeCreateCustomer",
    "StripeCreateSubscription",
    "StripeCustomerCreated",
    "StripeCustomerDeleted",
    "StripeDeleteCustomer",
    "StripePaymentAuthorized",
    "StripePaymentCancelled",
    "StripePaymentCaptured",
    "StripePaymentRefunded",
    "StripeRefundPayment",
    "StripeSubscriptionCancelled",
    "StripeSubscriptionCreated",
    "SupplierApproved",
    "SupplierRevoked",
    "SystemAlert",
    "SystemState",
    "VendorCreated",
    "VendorDeactivated",
    "VendorOnboardingRequested",
    "VendorType",
    "WelcomeEmailSent",
]
