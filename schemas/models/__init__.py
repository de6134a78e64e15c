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


class OracleEbsCustomerCreated(Record):
    """The account exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsCustomerCreated",
        type="saga.oracle_ebs.OracleEbsCustomerCreated",
        kind="completion",
        system="oracle-ebs",
    )
    account_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="CUST_ACCOUNT_ID.",
        ),
    ]
    account_number: Annotated[
        str | None,
        Field(
            description="For people.",
        ),
    ] = None


class OracleEbsCustomerDeactivated(Record):
    """The account is inactive."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsCustomerDeactivated",
        type="saga.oracle_ebs.OracleEbsCustomerDeactivated",
        kind="completion",
        system="oracle-ebs",
    )
    account_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="CUST_ACCOUNT_ID.",
        ),
    ]


class OracleEbsSupplierCreated(Record):
    """The supplier exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsSupplierCreated",
        type="saga.oracle_ebs.OracleEbsSupplierCreated",
        kind="completion",
        system="oracle-ebs",
    )
    supplier_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_ID.",
        ),
    ]
    party_id: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="PARTY_ID in TCA.",
        ),
    ] = None


class OracleEbsSupplierEnded(Record):
    """The supplier is not active any more."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsSupplierEnded",
        type="saga.oracle_ebs.OracleEbsSupplierEnded",
        kind="completion",
        system="oracle-ebs",
    )
    supplier_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_ID.",
        ),
    ]


class OracleEbsSupplierSiteCreated(Record):
    """The site exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsSupplierSiteCreated",
        type="saga.oracle_ebs.OracleEbsSupplierSiteCreated",
        kind="completion",
        system="oracle-ebs",
    )
    site_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_SITE_ID.",
        ),
    ]


class OracleEbsSupplierSiteEnded(Record):
    """The site is not active any more."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsSupplierSiteEnded",
        type="saga.oracle_ebs.OracleEbsSupplierSiteEnded",
        kind="completion",
        system="oracle-ebs",
    )
    site_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_SITE_ID.",
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


class SapEccGoodsReceiptPosted(Record):
    """The material document is posted."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccGoodsReceiptPosted",
        type="saga.sap_ecc.SapEccGoodsReceiptPosted",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
        ),
    ]


class SapEccGoodsReceiptReversed(Record):
    """The reversing material document is posted."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccGoodsReceiptReversed",
        type="saga.sap_ecc.SapEccGoodsReceiptReversed",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
        ),
    ]


class SapEccPurchaseOrderCreated(Record):
    """The purchase order is posted."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccPurchaseOrderCreated",
        type="saga.sap_ecc.SapEccPurchaseOrderCreated",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
        ),
    ]


class SapEccPurchaseOrderDeleted(Record):
    """Nothing is ordered any more."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccPurchaseOrderDeleted",
        type="saga.sap_ecc.SapEccPurchaseOrderDeleted",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
        ),
    ]


class SapEccVendorBlocked(Record):
    """Nothing can be bought from or paid to the vendor."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccVendorBlocked",
        type="saga.sap_ecc.SapEccVendorBlocked",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
        ),
    ]


class SapEccVendorCreated(Record):
    """The vendor is posted."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccVendorCreated",
        type="saga.sap_ecc.SapEccVendorCreated",
        kind="completion",
        system="sap-ecc",
    )
    idoc_number: Annotated[
        str,
        Field(
            description="DOCNUM of the IDoc that did it.",
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


class WorkdayEmployeeHired(Record):
    """The worker is an employee from the date of hire on."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayEmployeeHired",
        type="saga.workday.WorkdayEmployeeHired",
        kind="completion",
        system="workday",
    )
    employee_id: Annotated[
        str,
        Field(
            description="Ours: Employee_ID.",
        ),
    ]
    event_id: Annotated[
        str | None,
        Field(
            description="WID of the event, which rescinding needs; a probe does not tell it.",
        ),
    ] = None


class WorkdayHireRescinded(Record):
    """The hire is rescinded."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayHireRescinded",
        type="saga.workday.WorkdayHireRescinded",
        kind="completion",
        system="workday",
    )
    event_id: Annotated[
        str,
        Field(
            description="WID of the event that was rescinded.",
        ),
    ]


class WorkdayJobChangeRescinded(Record):
    """The change is rescinded."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayJobChangeRescinded",
        type="saga.workday.WorkdayJobChangeRescinded",
        kind="completion",
        system="workday",
    )
    event_id: Annotated[
        str,
        Field(
            description="WID of the event that was rescinded.",
        ),
    ]


class WorkdayJobChanged(Record):
    """The worker has the job from the date on."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayJobChanged",
        type="saga.workday.WorkdayJobChanged",
        kind="completion",
        system="workday",
    )
    event_id: Annotated[
        str,
        Field(
            description="WID of the event, which rescinding needs.",
        ),
    ]


class WorkdayPositionClosed(Record):
    """Nobody can be hired into it."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayPositionClosed",
        type="saga.workday.WorkdayPositionClosed",
        kind="completion",
        system="workday",
    )
    position_id: Annotated[
        str,
        Field(
            description="Ours: Position_ID.",
        ),
    ]


class WorkdayPositionCreated(Record):
    """The position exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayPositionCreated",
        type="saga.workday.WorkdayPositionCreated",
        kind="completion",
        system="workday",
    )
    position_id: Annotated[
        str,
        Field(
            description="Ours: Position_ID.",
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


class OracleEbsCreateCustomer(Record):
    """Create an organization as a customer with an account."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsCreateCustomer",
        type="saga.oracle_ebs.OracleEbsCreateCustomer",
        kind="command",
        system="oracle-ebs",
        action="create_customer",
        completion=OracleEbsCustomerCreated,
        effect="blind",
    )
    customer_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Legal name.",
        ),
    ]


class OracleEbsCreateSupplier(Record):
    """Create a supplier."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsCreateSupplier",
        type="saga.oracle_ebs.OracleEbsCreateSupplier",
        kind="command",
        system="oracle-ebs",
        action="create_supplier",
        completion=OracleEbsSupplierCreated,
        effect="blind",
    )
    supplier_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Legal name; unique in Payables.",
        ),
    ]
    supplier_number: Annotated[
        str | None,
        Field(
            max_length=30,
            description="SEGMENT1, where numbers are given by hand.",
        ),
    ] = None
    vat_number: Annotated[
        str | None,
        Field(
            max_length=20,
            description="VAT registration.",
        ),
    ] = None


class OracleEbsCreateSupplierSite(Record):
    """Create a site of a supplier, to buy from and to pay."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsCreateSupplierSite",
        type="saga.oracle_ebs.OracleEbsCreateSupplierSite",
        kind="command",
        system="oracle-ebs",
        action="create_supplier_site",
        completion=OracleEbsSupplierSiteCreated,
        effect="blind",
    )
    supplier_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_ID.",
        ),
    ]
    site_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=15,
            description="Name of the site; unique for the supplier in its operating unit.",
        ),
    ]
    org_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Operating unit.",
        ),
    ]
    address: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Street and number.",
        ),
    ]
    city: Annotated[
        str | None,
        Field(
            max_length=60,
            description="City.",
        ),
    ] = None
    postal_code: Annotated[
        str | None,
        Field(
            max_length=60,
            description="Postal code.",
        ),
    ] = None
    country: Annotated[
        str,
        Field(
            pattern="^[A-Z]{2}$",
            description="ISO 3166, two letters.",
        ),
    ]


class OracleEbsDeactivateCustomer(Record):
    """Undo OracleEbsCreateCustomer; the account is inactive."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsDeactivateCustomer",
        type="saga.oracle_ebs.OracleEbsDeactivateCustomer",
        kind="command",
        system="oracle-ebs",
        action="deactivate_customer",
        completion=OracleEbsCustomerDeactivated,
        effect="idempotent",
    )
    account_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="CUST_ACCOUNT_ID.",
        ),
    ]


class OracleEbsEndSupplier(Record):
    """Undo OracleEbsCreateSupplier by the end of the supplier's validity; EBS deletes no supplier."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsEndSupplier",
        type="saga.oracle_ebs.OracleEbsEndSupplier",
        kind="command",
        system="oracle-ebs",
        action="end_supplier",
        completion=OracleEbsSupplierEnded,
        effect="idempotent",
    )
    supplier_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_ID.",
        ),
    ]
    ends_on: Annotated[
        date,
        Field(
            description="The last day.",
        ),
    ]


class OracleEbsEndSupplierSite(Record):
    """Undo OracleEbsCreateSupplierSite by the date from which it is inactive."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_ebs.OracleEbsEndSupplierSite",
        type="saga.oracle_ebs.OracleEbsEndSupplierSite",
        kind="command",
        system="oracle-ebs",
        action="end_supplier_site",
        completion=OracleEbsSupplierSiteEnded,
        effect="idempotent",
    )
    site_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="VENDOR_SITE_ID.",
        ),
    ]
    org_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Operating unit.",
        ),
    ]
    inactive_from: Annotated[
        date,
        Field(
            description="The first day on which it is not used.",
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


class SapEccBlockVendor(Record):
    """Undo SapEccCreateVendor by central blocks and the flag for deletion; SAP does not delete a vendor at once."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccBlockVendor",
        type="saga.sap_ecc.SapEccBlockVendor",
        kind="command",
        system="sap-ecc",
        action="block_vendor",
        completion=SapEccVendorBlocked,
        effect="idempotent",
    )
    vendor_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="LIFNR.",
        ),
    ]
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="BUKRS.",
        ),
    ]


class SapEccCreatePurchaseOrder(Record):
    """Order one material."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccCreatePurchaseOrder",
        type="saga.sap_ecc.SapEccCreatePurchaseOrder",
        kind="command",
        system="sap-ecc",
        action="create_purchase_order",
        completion=SapEccPurchaseOrderCreated,
        effect="queryable",
    )
    order_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="EBELN, of an external number range.",
        ),
    ]
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="BUKRS.",
        ),
    ]
    purchasing_organization: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="EKORG.",
        ),
    ]
    purchasing_group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=3,
            description="EKGRP.",
        ),
    ]
    vendor_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="LIFNR.",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            pattern="^[A-Z]{3}$",
            description="ISO 4217.",
        ),
    ]
    material: Annotated[
        str,
        Field(
            min_length=1,
            max_length=18,
            description="MATNR.",
        ),
    ]
    plant: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="WERKS.",
        ),
    ]
    quantity: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=3,
            description="In the order unit.",
        ),
    ]
    net_price: Annotated[
        Decimal,
        Field(
            max_digits=15,
            decimal_places=4,
            description="For one order unit.",
        ),
    ]
    delivery_date: Annotated[
        date,
        Field(
            description="When it should be there.",
        ),
    ]


class SapEccCreateVendor(Record):
    """Create a vendor with its company code and purchasing organization."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccCreateVendor",
        type="saga.sap_ecc.SapEccCreateVendor",
        kind="command",
        system="sap-ecc",
        action="create_vendor",
        completion=SapEccVendorCreated,
        effect="queryable",
    )
    vendor_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="LIFNR, of an external number range.",
        ),
    ]
    account_group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="KTOKK.",
        ),
    ]
    vendor_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=35,
            description="Name 1.",
        ),
    ]
    country: Annotated[
        str,
        Field(
            pattern="^[A-Z]{2}$",
            description="ISO 3166, two letters.",
        ),
    ]
    vat_number: Annotated[
        str | None,
        Field(
            max_length=20,
            description="STCEG.",
        ),
    ] = None
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="BUKRS.",
        ),
    ]
    reconciliation_account: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="AKONT.",
        ),
    ]
    purchasing_organization: Annotated[
        str | None,
        Field(
            max_length=4,
            description="EKORG.",
        ),
    ] = None
    currency: Annotated[
        str | None,
        Field(
            pattern="^[A-Z]{3}$",
            description="ISO 4217.",
        ),
    ] = None


class SapEccDeletePurchaseOrder(Record):
    """Undo SapEccCreatePurchaseOrder by the flag for deletion on its item."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccDeletePurchaseOrder",
        type="saga.sap_ecc.SapEccDeletePurchaseOrder",
        kind="command",
        system="sap-ecc",
        action="delete_purchase_order",
        completion=SapEccPurchaseOrderDeleted,
        effect="idempotent",
    )
    order_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="EBELN.",
        ),
    ]


class SapEccPostGoodsReceipt(Record):
    """Receive goods for an item of a purchase order (movement 101)."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccPostGoodsReceipt",
        type="saga.sap_ecc.SapEccPostGoodsReceipt",
        kind="command",
        system="sap-ecc",
        action="post_goods_receipt",
        completion=SapEccGoodsReceiptPosted,
        effect="queryable",
    )
    order_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="EBELN.",
        ),
    ]
    order_item: Annotated[
        str,
        Field(
            pattern="^[0-9]{5}$",
            description="EBELP, five digits.",
        ),
    ]
    plant: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="WERKS.",
        ),
    ]
    storage_location: Annotated[
        str | None,
        Field(
            max_length=4,
            description="LGORT.",
        ),
    ] = None
    quantity: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=3,
            description="In the order unit.",
        ),
    ]
    posted_on: Annotated[
        date,
        Field(
            description="Posting date.",
        ),
    ]


class SapEccReverseGoodsReceipt(Record):
    """Undo SapEccPostGoodsReceipt by movement 102 of the same quantity."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_ecc.SapEccReverseGoodsReceipt",
        type="saga.sap_ecc.SapEccReverseGoodsReceipt",
        kind="command",
        system="sap-ecc",
        action="reverse_goods_receipt",
        completion=SapEccGoodsReceiptReversed,
        effect="queryable",
    )
    order_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="EBELN.",
        ),
    ]
    order_item: Annotated[
        str,
        Field(
            pattern="^[0-9]{5}$",
            description="EBELP, five digits.",
        ),
    ]
    plant: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="WERKS.",
        ),
    ]
    storage_location: Annotated[
        str | None,
        Field(
            max_length=4,
            description="LGORT.",
        ),
    ] = None
    quantity: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=3,
            description="In the order unit.",
        ),
    ]
    posted_on: Annotated[
        date,
        Field(
            description="Posting date.",
        ),
    ]


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


class WorkdayChangeJob(Record):
    """Move a worker into another position."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayChangeJob",
        type="saga.workday.WorkdayChangeJob",
        kind="command",
        system="workday",
        action="change_job",
        completion=WorkdayJobChanged,
        effect="blind",
    )
    employee_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Employee_ID.",
        ),
    ]
    position_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Position_ID of the new one.",
        ),
    ]
    effective_on: Annotated[
        date,
        Field(
            description="From when.",
        ),
    ]
    reason_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="General_Event_Subcategory_ID.",
        ),
    ]


class WorkdayClosePosition(Record):
    """Undo WorkdayCreatePosition by closing the position; Workday keeps its history."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayClosePosition",
        type="saga.workday.WorkdayClosePosition",
        kind="command",
        system="workday",
        action="close_position",
        completion=WorkdayPositionClosed,
        effect="blind",
    )
    position_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Ours: Position_ID.",
        ),
    ]
    closed_on: Annotated[
        date,
        Field(
            description="From when.",
        ),
    ]


class WorkdayCreatePosition(Record):
    """Create a position in a supervisory organization."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayCreatePosition",
        type="saga.workday.WorkdayCreatePosition",
        kind="command",
        system="workday",
        action="create_position",
        completion=WorkdayPositionCreated,
        effect="queryable",
    )
    position_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Ours, unique: Position_ID.",
        ),
    ]
    organization_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Organization_Reference_ID of the supervisory organization.",
        ),
    ]
    title: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="Title of the job posting.",
        ),
    ]
    reason_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Create_Position_Reason… as General_Event_Subcategory_ID.",
        ),
    ]
    available_on: Annotated[
        date,
        Field(
            description="From when.",
        ),
    ]
    job_profile_id: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Job_Profile_ID.",
        ),
    ] = None
    location_id: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Location_ID.",
        ),
    ] = None


class WorkdayHireEmployee(Record):
    """Hire an applicant into a position."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayHireEmployee",
        type="saga.workday.WorkdayHireEmployee",
        kind="command",
        system="workday",
        action="hire_employee",
        completion=WorkdayEmployeeHired,
        effect="queryable",
    )
    employee_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Ours, unique: Employee_ID.",
        ),
    ]
    applicant_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Applicant_ID.",
        ),
    ]
    position_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Position_ID.",
        ),
    ]
    hired_on: Annotated[
        date,
        Field(
            description="First day.",
        ),
    ]
    employee_type_id: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Employee_Type_ID.",
        ),
    ] = None
    reason_id: Annotated[
        str | None,
        Field(
            max_length=100,
            description="General_Event_Subcategory_ID.",
        ),
    ] = None


class WorkdayRescindHire(Record):
    """Undo WorkdayHireEmployee by rescinding its event, as if it had not been."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayRescindHire",
        type="saga.workday.WorkdayRescindHire",
        kind="command",
        system="workday",
        action="rescind_hire",
        completion=WorkdayHireRescinded,
        effect="blind",
    )
    event_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="WID of the event.",
        ),
    ]


class WorkdayRescindJobChange(Record):
    """Undo WorkdayChangeJob by rescinding its event, as if it had not been."""

    contract: ClassVar[Contract] = Contract(
        name="saga.workday.WorkdayRescindJobChange",
        type="saga.workday.WorkdayRescindJobChange",
        kind="command",
        system="workday",
        action="rescind_job_change",
        completion=WorkdayJobChangeRescinded,
        effect="blind",
    )
    event_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="WID of the event.",
        ),
    ]


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
        "saga.oracle_ebs.OracleEbsCreateCustomer": OracleEbsCreateCustomer,
        "saga.oracle_ebs.OracleEbsCreateSupplier": OracleEbsCreateSupplier,
        "saga.oracle_ebs.OracleEbsCreateSupplierSite": OracleEbsCreateSupplierSite,
        "saga.oracle_ebs.OracleEbsCustomerCreated": OracleEbsCustomerCreated,
        "saga.oracle_ebs.OracleEbsCustomerDeactivated": OracleEbsCustomerDeactivated,
        "saga.oracle_ebs.OracleEbsDeactivateCustomer": OracleEbsDeactivateCustomer,
        "saga.oracle_ebs.OracleEbsEndSupplier": OracleEbsEndSupplier,
        "saga.oracle_ebs.OracleEbsEndSupplierSite": OracleEbsEndSupplierSite,
        "saga.oracle_ebs.OracleEbsSupplierCreated": OracleEbsSupplierCreated,
        "saga.oracle_ebs.OracleEbsSupplierEnded": OracleEbsSupplierEnded,
        "saga.oracle_ebs.OracleEbsSupplierSiteCreated": OracleEbsSupplierSiteCreated,
        "saga.oracle_ebs.OracleEbsSupplierSiteEnded": OracleEbsSupplierSiteEnded,
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
        "saga.sap_ecc.SapEccBlockVendor": SapEccBlockVendor,
        "saga.sap_ecc.SapEccCreatePurchaseOrder": SapEccCreatePurchaseOrder,
        "saga.sap_ecc.SapEccCreateVendor": SapEccCreateVendor,
        "saga.sap_ecc.SapEccDeletePurchaseOrder": SapEccDeletePurchaseOrder,
        "saga.sap_ecc.SapEccGoodsReceiptPosted": SapEccGoodsReceiptPosted,
        "saga.sap_ecc.SapEccGoodsReceiptReversed": SapEccGoodsReceiptReversed,
        "saga.sap_ecc.SapEccPostGoodsReceipt": SapEccPostGoodsReceipt,
        "saga.sap_ecc.SapEccPurchaseOrderCreated": SapEccPurchaseOrderCreated,
        "saga.sap_ecc.SapEccPurchaseOrderDeleted": SapEccPurchaseOrderDeleted,
        "saga.sap_ecc.SapEccReverseGoodsReceipt": SapEccReverseGoodsReceipt,
        "saga.sap_ecc.SapEccVendorBlocked": SapEccVendorBlocked,
        "saga.sap_ecc.SapEccVendorCreated": SapEccVendorCreated,
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
        "saga.workday.WorkdayChangeJob": WorkdayChangeJob,
        "saga.workday.WorkdayClosePosition": WorkdayClosePosition,
        "saga.workday.WorkdayCreatePosition": WorkdayCreatePosition,
        "saga.workday.WorkdayEmployeeHired": WorkdayEmployeeHired,
        "saga.workday.WorkdayHireEmployee": WorkdayHireEmployee,
        "saga.workday.WorkdayHireRescinded": WorkdayHireRescinded,
        "saga.workday.WorkdayJobChangeRescinded": WorkdayJobChangeRescinded,
        "saga.workday.WorkdayJobChanged": WorkdayJobChanged,
        "saga.workday.WorkdayPositionClosed": WorkdayPositionClosed,
        "saga.workday.WorkdayPositionCreated": WorkdayPositionCreated,
        "saga.workday.WorkdayRescindHire": WorkdayRescindHire,
        "saga.workday.WorkdayRescindJobChange": WorkdayRescindJobChange,
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
    "OracleEbsCreateCustomer",
    "OracleEbsCreateSupplier",
    "OracleEbsCreateSupplierSite",
    "OracleEbsCustomerCreated",
    "OracleEbsCustomerDeactivated",
    "OracleEbsDeactivateCustomer",
    "OracleEbsEndSupplier",
    "OracleEbsEndSupplierSite",
    "OracleEbsSupplierCreated",
    "OracleEbsSupplierEnded",
    "OracleEbsSupplierSiteCreated",
    "OracleEbsSupplierSiteEnded",
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
    "SapEccBlockVendor",
    "SapEccCreatePurchaseOrder",
    "SapEccCreateVendor",
    "SapEccDeletePurchaseOrder",
    "SapEccGoodsReceiptPosted",
    "SapEccGoodsReceiptReversed",
    "SapEccPostGoodsReceipt",
    "SapEccPurchaseOrderCreated",
    "SapEccPurchaseOrderDeleted",
    "SapEccReverseGoodsReceipt",
    "SapEccVendorBlocked",
    "SapEccVendorCreated",
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
    "SystemState",
    "VendorCreated",
    "VendorDeactivated",
    "VendorOnboardingRequested",
    "VendorType",
    "WelcomeEmailSent",
    "WorkdayChangeJob",
    "WorkdayClosePosition",
    "WorkdayCreatePosition",
    "WorkdayEmployeeHired",
    "WorkdayHireEmployee",
    "WorkdayHireRescinded",
    "WorkdayJobChangeRescinded",
    "WorkdayJobChanged",
    "WorkdayPositionClosed",
    "WorkdayPositionCreated",
    "WorkdayRescindHire",
    "WorkdayRescindJobChange",
]
