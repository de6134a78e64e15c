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


class BamboohrEmployeeCreated(Record):
    """The employee exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrEmployeeCreated",
        type="saga.bamboohr.BamboohrEmployeeCreated",
        kind="completion",
        system="bamboohr",
    )
    employee_id: Annotated[
        str,
        Field(
            description="BambooHR's id, a number as text.",
        ),
    ]


class BamboohrEmployeeDeactivated(Record):
    """The employee is inactive."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrEmployeeDeactivated",
        type="saga.bamboohr.BamboohrEmployeeDeactivated",
        kind="completion",
        system="bamboohr",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class BamboohrGoalCreated(Record):
    """The goal is set."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrGoalCreated",
        type="saga.bamboohr.BamboohrGoalCreated",
        kind="completion",
        system="bamboohr",
    )
    goal_id: Annotated[
        str,
        Field(
            description="BambooHR's id, a number as text.",
        ),
    ]


class BamboohrGoalDeleted(Record):
    """The goal is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrGoalDeleted",
        type="saga.bamboohr.BamboohrGoalDeleted",
        kind="completion",
        system="bamboohr",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class BamboohrTimeOffCancelled(Record):
    """The request is cancelled."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrTimeOffCancelled",
        type="saga.bamboohr.BamboohrTimeOffCancelled",
        kind="completion",
        system="bamboohr",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class BamboohrTimeOffRequested(Record):
    """The request waits for approval."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrTimeOffRequested",
        type="saga.bamboohr.BamboohrTimeOffRequested",
        kind="completion",
        system="bamboohr",
    )
    request_id: Annotated[
        str,
        Field(
            description="BambooHR's id, a number as text.",
        ),
    ]


class DynamicsAccountCreated(Record):
    """The account exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsAccountCreated",
        type="saga.dynamics_365.DynamicsAccountCreated",
        kind="completion",
        system="dynamics-365",
    )
    account_id: Annotated[
        str,
        Field(
            description="Id of the row.",
        ),
    ]


class DynamicsAccountDeleted(Record):
    """The account is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsAccountDeleted",
        type="saga.dynamics_365.DynamicsAccountDeleted",
        kind="completion",
        system="dynamics-365",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class DynamicsContactCreated(Record):
    """The contact exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsContactCreated",
        type="saga.dynamics_365.DynamicsContactCreated",
        kind="completion",
        system="dynamics-365",
    )
    contact_id: Annotated[
        str,
        Field(
            description="Id of the row.",
        ),
    ]


class DynamicsContactDeleted(Record):
    """The contact is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsContactDeleted",
        type="saga.dynamics_365.DynamicsContactDeleted",
        kind="completion",
        system="dynamics-365",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class DynamicsOpportunityCreated(Record):
    """The opportunity exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsOpportunityCreated",
        type="saga.dynamics_365.DynamicsOpportunityCreated",
        kind="completion",
        system="dynamics-365",
    )
    opportunity_id: Annotated[
        str,
        Field(
            description="Id of the row.",
        ),
    ]


class DynamicsOpportunityDeleted(Record):
    """The opportunity is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsOpportunityDeleted",
        type="saga.dynamics_365.DynamicsOpportunityDeleted",
        kind="completion",
        system="dynamics-365",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


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


class GoogleEventCreated(Record):
    """The event is in the calendar."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleEventCreated",
        type="saga.google_workspace.GoogleEventCreated",
        kind="completion",
        system="google-workspace",
    )
    event_id: Annotated[
        str,
        Field(
            description="The id in its calendar.",
        ),
    ]


class GoogleEventDeleted(Record):
    """The event is cancelled."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleEventDeleted",
        type="saga.google_workspace.GoogleEventDeleted",
        kind="completion",
        system="google-workspace",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class GoogleFileIdReserved(Record):
    """The id is ours."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleFileIdReserved",
        type="saga.google_workspace.GoogleFileIdReserved",
        kind="completion",
        system="google-workspace",
    )
    file_id: Annotated[
        str,
        Field(
            description="Drive's id of a file that is not there yet.",
        ),
    ]


class GoogleFileMoved(Record):
    """The file is in the other folder."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleFileMoved",
        type="saga.google_workspace.GoogleFileMoved",
        kind="completion",
        system="google-workspace",
    )
    moved_id: Annotated[
        str,
        Field(
            description="Drive's id of what was moved.",
        ),
    ]


class GoogleFileMovedBack(Record):
    """The file is not in the other folder any more."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleFileMovedBack",
        type="saga.google_workspace.GoogleFileMovedBack",
        kind="completion",
        system="google-workspace",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class GoogleFolderCreated(Record):
    """The folder exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleFolderCreated",
        type="saga.google_workspace.GoogleFolderCreated",
        kind="completion",
        system="google-workspace",
    )
    folder_id: Annotated[
        str,
        Field(
            description="Drive's id: the reserved one.",
        ),
    ]


class GoogleFolderDeleted(Record):
    """The folder is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleFolderDeleted",
        type="saga.google_workspace.GoogleFolderDeleted",
        kind="completion",
        system="google-workspace",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class HubspotCompanyCreated(Record):
    """The company exists at HubSpot."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotCompanyCreated",
        type="saga.hubspot.HubspotCompanyCreated",
        kind="completion",
        system="hubspot",
    )
    company_id: Annotated[
        str,
        Field(
            description="HubSpot's id, a number as text.",
        ),
    ]


class HubspotCompanyDeleted(Record):
    """The company is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotCompanyDeleted",
        type="saga.hubspot.HubspotCompanyDeleted",
        kind="completion",
        system="hubspot",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class HubspotContactCreated(Record):
    """The contact exists at HubSpot."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotContactCreated",
        type="saga.hubspot.HubspotContactCreated",
        kind="completion",
        system="hubspot",
    )
    contact_id: Annotated[
        str,
        Field(
            description="HubSpot's id, a number as text.",
        ),
    ]


class HubspotContactDeleted(Record):
    """The contact is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotContactDeleted",
        type="saga.hubspot.HubspotContactDeleted",
        kind="completion",
        system="hubspot",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class HubspotDealCreated(Record):
    """The deal exists at HubSpot."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotDealCreated",
        type="saga.hubspot.HubspotDealCreated",
        kind="completion",
        system="hubspot",
    )
    deal_id: Annotated[
        str,
        Field(
            description="HubSpot's id, a number as text.",
        ),
    ]


class HubspotDealDeleted(Record):
    """The deal is in the recycle bin."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotDealDeleted",
        type="saga.hubspot.HubspotDealDeleted",
        kind="completion",
        system="hubspot",
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


class GraphEventCreated(Record):
    """The event is in the calendar."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphEventCreated",
        type="saga.microsoft_graph.GraphEventCreated",
        kind="completion",
        system="microsoft-graph",
    )
    event_id: Annotated[
        str,
        Field(
            description="Outlook's id.",
        ),
    ]


class GraphEventDeleted(Record):
    """The event is among the deleted items."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphEventDeleted",
        type="saga.microsoft_graph.GraphEventDeleted",
        kind="completion",
        system="microsoft-graph",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class GraphGroupCreated(Record):
    """The group exists in Entra ID."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphGroupCreated",
        type="saga.microsoft_graph.GraphGroupCreated",
        kind="completion",
        system="microsoft-graph",
    )
    group_id: Annotated[
        str | None,
        Field(
            description="Entra's object id; it does not say it of a group that is there already.",
        ),
    ] = None


class GraphGroupDeleted(Record):
    """The group is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphGroupDeleted",
        type="saga.microsoft_graph.GraphGroupDeleted",
        kind="completion",
        system="microsoft-graph",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class GraphGroupMemberAdded(Record):
    """The user is a member of the group."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphGroupMemberAdded",
        type="saga.microsoft_graph.GraphGroupMemberAdded",
        kind="completion",
        system="microsoft-graph",
    )
    member_id: Annotated[
        str,
        Field(
            description="The user's object id.",
        ),
    ]


class GraphGroupMemberRemoved(Record):
    """The user is no member of the group."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphGroupMemberRemoved",
        type="saga.microsoft_graph.GraphGroupMemberRemoved",
        kind="completion",
        system="microsoft-graph",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class NetsuiteCustomerCreated(Record):
    """The customer exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteCustomerCreated",
        type="saga.netsuite.NetsuiteCustomerCreated",
        kind="completion",
        system="netsuite",
    )
    customer_id: Annotated[
        str,
        Field(
            description="Internal id.",
        ),
    ]


class NetsuiteCustomerDeleted(Record):
    """The customer is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteCustomerDeleted",
        type="saga.netsuite.NetsuiteCustomerDeleted",
        kind="completion",
        system="netsuite",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class NetsuiteVendorBillCreated(Record):
    """The bill is entered."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteVendorBillCreated",
        type="saga.netsuite.NetsuiteVendorBillCreated",
        kind="completion",
        system="netsuite",
    )
    bill_id: Annotated[
        str,
        Field(
            description="Internal id.",
        ),
    ]


class NetsuiteVendorBillDeleted(Record):
    """The bill is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteVendorBillDeleted",
        type="saga.netsuite.NetsuiteVendorBillDeleted",
        kind="completion",
        system="netsuite",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class NetsuiteVendorCreated(Record):
    """The vendor exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteVendorCreated",
        type="saga.netsuite.NetsuiteVendorCreated",
        kind="completion",
        system="netsuite",
    )
    vendor_id: Annotated[
        str,
        Field(
            description="Internal id.",
        ),
    ]


class NetsuiteVendorDeleted(Record):
    """The vendor is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteVendorDeleted",
        type="saga.netsuite.NetsuiteVendorDeleted",
        kind="completion",
        system="netsuite",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
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


class FusionInvoiceCreated(Record):
    """The invoice is entered and not yet validated."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionInvoiceCreated",
        type="saga.oracle_fusion.FusionInvoiceCreated",
        kind="completion",
        system="oracle-fusion",
    )
    invoice_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Fusion's id.",
        ),
    ]


class FusionInvoiceDeleted(Record):
    """The invoice is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionInvoiceDeleted",
        type="saga.oracle_fusion.FusionInvoiceDeleted",
        kind="completion",
        system="oracle-fusion",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class FusionLocationCreated(Record):
    """The location is there from its first day on."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionLocationCreated",
        type="saga.oracle_fusion.FusionLocationCreated",
        kind="completion",
        system="oracle-fusion",
    )
    location_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Fusion's id.",
        ),
    ]


class FusionLocationDeleted(Record):
    """The location is gone, with all its periods."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionLocationDeleted",
        type="saga.oracle_fusion.FusionLocationDeleted",
        kind="completion",
        system="oracle-fusion",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class FusionReceivableCreated(Record):
    """The invoice is entered."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionReceivableCreated",
        type="saga.oracle_fusion.FusionReceivableCreated",
        kind="completion",
        system="oracle-fusion",
    )
    transaction_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Fusion's id.",
        ),
    ]


class FusionReceivableDeleted(Record):
    """The invoice is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionReceivableDeleted",
        type="saga.oracle_fusion.FusionReceivableDeleted",
        kind="completion",
        system="oracle-fusion",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
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


class SapS4PurchaseOrderCreated(Record):
    """The purchase order exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4PurchaseOrderCreated",
        type="saga.sap_s4.SapS4PurchaseOrderCreated",
        kind="completion",
        system="sap-s4",
    )
    purchase_order: Annotated[
        str,
        Field(
            description="Its number.",
        ),
    ]


class SapS4PurchaseOrderDeleted(Record):
    """The purchase order has its deletion code."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4PurchaseOrderDeleted",
        type="saga.sap_s4.SapS4PurchaseOrderDeleted",
        kind="completion",
        system="sap-s4",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SapS4SupplierBlocked(Record):
    """The business partner is no longer in use."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4SupplierBlocked",
        type="saga.sap_s4.SapS4SupplierBlocked",
        kind="completion",
        system="sap-s4",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SapS4SupplierCreated(Record):
    """The business partner exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4SupplierCreated",
        type="saga.sap_s4.SapS4SupplierCreated",
        kind="completion",
        system="sap-s4",
    )
    business_partner: Annotated[
        str,
        Field(
            description="Its number.",
        ),
    ]


class SapS4SupplierInvoiceCancelled(Record):
    """The invoice is reversed."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4SupplierInvoiceCancelled",
        type="saga.sap_s4.SapS4SupplierInvoiceCancelled",
        kind="completion",
        system="sap-s4",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class SapS4SupplierInvoicePosted(Record):
    """The invoice is posted."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4SupplierInvoicePosted",
        type="saga.sap_s4.SapS4SupplierInvoicePosted",
        kind="completion",
        system="sap-s4",
    )
    invoice: Annotated[
        str,
        Field(
            description="Its number.",
        ),
    ]
    fiscal_year: Annotated[
        str,
        Field(
            description="Of which it is.",
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


class ZendeskOrganizationCreated(Record):
    """The organization exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskOrganizationCreated",
        type="saga.zendesk.ZendeskOrganizationCreated",
        kind="completion",
        system="zendesk",
    )
    organization_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Zendesk's id.",
        ),
    ]


class ZendeskOrganizationDeleted(Record):
    """The organization is gone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskOrganizationDeleted",
        type="saga.zendesk.ZendeskOrganizationDeleted",
        kind="completion",
        system="zendesk",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class ZendeskTicketCreated(Record):
    """The ticket exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskTicketCreated",
        type="saga.zendesk.ZendeskTicketCreated",
        kind="completion",
        system="zendesk",
    )
    ticket_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Zendesk's number of it.",
        ),
    ]


class ZendeskTicketDeleted(Record):
    """The ticket is among the deleted ones."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskTicketDeleted",
        type="saga.zendesk.ZendeskTicketDeleted",
        kind="completion",
        system="zendesk",
    )
    found: Annotated[
        bool,
        Field(
            description="False where there was nothing to undo.",
        ),
    ]


class ZendeskUserCreated(Record):
    """The user exists."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskUserCreated",
        type="saga.zendesk.ZendeskUserCreated",
        kind="completion",
        system="zendesk",
    )
    user_id: Annotated[
        int,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Zendesk's id.",
        ),
    ]


class ZendeskUserDeleted(Record):
    """The user is no longer active."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskUserDeleted",
        type="saga.zendesk.ZendeskUserDeleted",
        kind="completion",
        system="zendesk",
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


class BamboohrCancelTimeOff(Record):
    """Undo BamboohrRequestTimeOff, also once it is approved. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrCancelTimeOff",
        type="saga.bamboohr.BamboohrCancelTimeOff",
        kind="command",
        system="bamboohr",
        action="cancel_time_off",
        completion=BamboohrTimeOffCancelled,
        effect="idempotent",
    )
    employee_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="BambooHR's id of the employee.",
        ),
    ]
    starts_on: Annotated[
        date,
        Field(
            description="First day off.",
        ),
    ]
    ends_on: Annotated[
        date,
        Field(
            description="Last day off.",
        ),
    ]


class BamboohrCreateEmployee(Record):
    """Create an employee. A work address that is taken is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrCreateEmployee",
        type="saga.bamboohr.BamboohrCreateEmployee",
        kind="command",
        system="bamboohr",
        action="create_employee",
        completion=BamboohrEmployeeCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_409": "rejected",
                "HTTP_400": "rejected",
            }
        ),
    )
    first_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Legal first name.",
        ),
    ]
    last_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Legal last name.",
        ),
    ]
    work_email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Work address.",
        ),
    ]
    hire_date: Annotated[
        date,
        Field(
            description="First day.",
        ),
    ]
    job_title: Annotated[
        str | None,
        Field(
            max_length=100,
            description="As it is in the list of titles.",
        ),
    ] = None
    department: Annotated[
        str | None,
        Field(
            max_length=100,
            description="As it is in the list of departments.",
        ),
    ] = None


class BamboohrCreateGoal(Record):
    """Set a goal for an employee. Its description is our reference."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrCreateGoal",
        type="saga.bamboohr.BamboohrCreateGoal",
        kind="command",
        system="bamboohr",
        action="create_goal",
        completion=BamboohrGoalCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    employee_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="BambooHR's id of the employee.",
        ),
    ]
    title: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="In a line.",
        ),
    ]
    due_on: Annotated[
        date,
        Field(
            description="When it is to be reached.",
        ),
    ]


class BamboohrDeactivateEmployee(Record):
    """Undo BamboohrCreateEmployee. The record stays, inactive and marked as undone. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrDeactivateEmployee",
        type="saga.bamboohr.BamboohrDeactivateEmployee",
        kind="command",
        system="bamboohr",
        action="deactivate_employee",
        completion=BamboohrEmployeeDeactivated,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "HTTP_409": "rejected",
            }
        ),
    )


class BamboohrDeleteGoal(Record):
    """Undo BamboohrCreateGoal. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrDeleteGoal",
        type="saga.bamboohr.BamboohrDeleteGoal",
        kind="command",
        system="bamboohr",
        action="delete_goal",
        completion=BamboohrGoalDeleted,
        effect="idempotent",
    )
    employee_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="BambooHR's id of the employee.",
        ),
    ]


class BamboohrRequestTimeOff(Record):
    """Ask for time off for an employee; those who approve are told. Our reference is the manager's note."""

    contract: ClassVar[Contract] = Contract(
        name="saga.bamboohr.BamboohrRequestTimeOff",
        type="saga.bamboohr.BamboohrRequestTimeOff",
        kind="command",
        system="bamboohr",
        action="request_time_off",
        completion=BamboohrTimeOffRequested,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
                "HTTP_404": "rejected",
                "HTTP_422": "rejected",
            }
        ),
    )
    employee_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="BambooHR's id of the employee.",
        ),
    ]
    starts_on: Annotated[
        date,
        Field(
            description="First day off.",
        ),
    ]
    ends_on: Annotated[
        date,
        Field(
            description="Last day off.",
        ),
    ]
    time_off_type_id: Annotated[
        int,
        Field(
            ge=-2147483648,
            le=2147483647,
            description="BambooHR's id of the kind of time off.",
        ),
    ]
    amount: Annotated[
        float,
        Field(
            description="Hours or days in all.",
        ),
    ]
    note: Annotated[
        str | None,
        Field(
            max_length=1000,
            description="What the employee says to it.",
        ),
    ] = None


class DynamicsCreateAccount(Record):
    """Create a company."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsCreateAccount",
        type="saga.dynamics_365.DynamicsCreateAccount",
        kind="command",
        system="dynamics-365",
        action="create_account",
        completion=DynamicsAccountCreated,
        effect="idempotent",
    )
    account_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=160,
            description="Name of the company.",
        ),
    ]
    account_number: Annotated[
        str | None,
        Field(
            max_length=20,
            description="What it is known by.",
        ),
    ] = None
    email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where it is written to.",
        ),
    ] = None
    phone: Annotated[
        str | None,
        Field(
            max_length=50,
            description="Where it is called.",
        ),
    ] = None


class DynamicsCreateContact(Record):
    """Create a person, of an account or of none."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsCreateContact",
        type="saga.dynamics_365.DynamicsCreateContact",
        kind="command",
        system="dynamics-365",
        action="create_contact",
        completion=DynamicsContactCreated,
        effect="idempotent",
    )
    first_name: Annotated[
        str | None,
        Field(
            max_length=50,
            description="Given name.",
        ),
    ] = None
    last_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=50,
            description="Family name.",
        ),
    ]
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
            pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            description="Id of the account.",
        ),
    ] = None


class DynamicsCreateOpportunity(Record):
    """Create a sale that may come of an account."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsCreateOpportunity",
        type="saga.dynamics_365.DynamicsCreateOpportunity",
        kind="command",
        system="dynamics-365",
        action="create_opportunity",
        completion=DynamicsOpportunityCreated,
        effect="idempotent",
    )
    topic: Annotated[
        str,
        Field(
            min_length=1,
            max_length=300,
            description="What it is about.",
        ),
    ]
    account_id: Annotated[
        str,
        Field(
            pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            description="Id of the account.",
        ),
    ]
    estimated_value: Annotated[
        Decimal,
        Field(
            max_digits=15,
            decimal_places=2,
            description="In the currency of the account.",
        ),
    ]
    closes_on: Annotated[
        date,
        Field(
            description="When it is expected.",
        ),
    ]


class DynamicsDeleteAccount(Record):
    """Undo DynamicsCreateAccount. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsDeleteAccount",
        type="saga.dynamics_365.DynamicsDeleteAccount",
        kind="command",
        system="dynamics-365",
        action="delete_account",
        completion=DynamicsAccountDeleted,
        effect="idempotent",
    )


class DynamicsDeleteContact(Record):
    """Undo DynamicsCreateContact. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsDeleteContact",
        type="saga.dynamics_365.DynamicsDeleteContact",
        kind="command",
        system="dynamics-365",
        action="delete_contact",
        completion=DynamicsContactDeleted,
        effect="idempotent",
    )


class DynamicsDeleteOpportunity(Record):
    """Undo DynamicsCreateOpportunity. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.dynamics_365.DynamicsDeleteOpportunity",
        type="saga.dynamics_365.DynamicsDeleteOpportunity",
        kind="command",
        system="dynamics-365",
        action="delete_opportunity",
        completion=DynamicsOpportunityDeleted,
        effect="idempotent",
    )


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


class GoogleCreateEvent(Record):
    """Put an event into a calendar. Those invited get mail, and mail again when it is undone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleCreateEvent",
        type="saga.google_workspace.GoogleCreateEvent",
        kind="command",
        system="google-workspace",
        action="create_event",
        completion=GoogleEventCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "DUPLICATE": "rejected",
                "INVALID": "rejected",
                "NOTFOUND": "rejected",
            }
        ),
    )
    calendar_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Address of the calendar; primary is the person's own.",
        ),
    ]
    summary: Annotated[
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
            max_length=8000,
            description="All of it.",
        ),
    ] = None
    starts_at: Annotated[
        AwareDatetime,
        Field(
            description="When it starts.",
        ),
    ]
    ends_at: Annotated[
        AwareDatetime,
        Field(
            description="When it ends.",
        ),
    ]
    attendee_email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Who is invited.",
        ),
    ] = None


class GoogleCreateFolder(Record):
    """Make a folder in Drive under an id that GoogleReserveFileId gave."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleCreateFolder",
        type="saga.google_workspace.GoogleCreateFolder",
        kind="command",
        system="google-workspace",
        action="create_folder",
        completion=GoogleFolderCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "FILEIDINUSE": "rejected",
                "INVALID": "rejected",
                "NOTFOUND": "rejected",
            }
        ),
    )
    file_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="The reserved id.",
        ),
    ]
    folder_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Name of the folder.",
        ),
    ]
    parent_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of the folder or shared drive that it is made in.",
        ),
    ]


class GoogleDeleteEvent(Record):
    """Undo GoogleCreateEvent. Not found, and cancelled already, is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleDeleteEvent",
        type="saga.google_workspace.GoogleDeleteEvent",
        kind="command",
        system="google-workspace",
        action="delete_event",
        completion=GoogleEventDeleted,
        effect="idempotent",
    )
    calendar_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Address of the calendar; primary is the person's own.",
        ),
    ]


class GoogleDeleteFolder(Record):
    """Undo GoogleCreateFolder, with all that is in it and for good. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleDeleteFolder",
        type="saga.google_workspace.GoogleDeleteFolder",
        kind="command",
        system="google-workspace",
        action="delete_folder",
        completion=GoogleFolderDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "INSUFFICIENTFILEPERMISSIONS": "rejected",
            }
        ),
    )
    file_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="The reserved id.",
        ),
    ]


class GoogleMoveFile(Record):
    """Move a file or folder from one folder into another."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleMoveFile",
        type="saga.google_workspace.GoogleMoveFile",
        kind="command",
        system="google-workspace",
        action="move_file",
        completion=GoogleFileMoved,
        effect="queryable",
        errors=MappingProxyType(
            {
                "NOTFOUND": "rejected",
                "INVALID": "rejected",
                "INSUFFICIENTFILEPERMISSIONS": "rejected",
            }
        ),
    )
    file_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of what is moved.",
        ),
    ]
    from_folder_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of where it is.",
        ),
    ]
    to_folder_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of where it is to be.",
        ),
    ]


class GoogleMoveFileBack(Record):
    """Undo GoogleMoveFile. What is no longer where it was moved to is left alone, which is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleMoveFileBack",
        type="saga.google_workspace.GoogleMoveFileBack",
        kind="command",
        system="google-workspace",
        action="move_file_back",
        completion=GoogleFileMovedBack,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "INSUFFICIENTFILEPERMISSIONS": "rejected",
            }
        ),
    )
    file_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of what was moved.",
        ),
    ]
    from_folder_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of where it was.",
        ),
    ]
    to_folder_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Drive's id of where it was moved to.",
        ),
    ]


class GoogleReserveFileId(Record):
    """Get an id for a folder that is to be made. Nothing is changed, so there is nothing to undo."""

    contract: ClassVar[Contract] = Contract(
        name="saga.google_workspace.GoogleReserveFileId",
        type="saga.google_workspace.GoogleReserveFileId",
        kind="command",
        system="google-workspace",
        action="reserve_file_id",
        completion=GoogleFileIdReserved,
        effect="idempotent",
    )


class HubspotCreateCompany(Record):
    """Create a company. HubSpot itself does not refuse a second one of the same name or domain."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotCreateCompany",
        type="saga.hubspot.HubspotCreateCompany",
        kind="command",
        system="hubspot",
        action="create_company",
        completion=HubspotCompanyCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "CONFLICT": "rejected",
                "VALIDATION_ERROR": "rejected",
            }
        ),
    )
    company_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Name of the company.",
        ),
    ]
    domain: Annotated[
        str | None,
        Field(
            max_length=255,
            description="Its internet domain, example.com.",
        ),
    ] = None


class HubspotCreateContact(Record):
    """Create a contact. An email address that HubSpot knows already is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotCreateContact",
        type="saga.hubspot.HubspotCreateContact",
        kind="command",
        system="hubspot",
        action="create_contact",
        completion=HubspotContactCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "CONFLICT": "rejected",
                "VALIDATION_ERROR": "rejected",
            }
        ),
    )
    email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the person is written to.",
        ),
    ]
    first_name: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Given name.",
        ),
    ] = None
    last_name: Annotated[
        str | None,
        Field(
            max_length=100,
            description="Family name.",
        ),
    ] = None


class HubspotCreateDeal(Record):
    """Create a deal of a contact."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotCreateDeal",
        type="saga.hubspot.HubspotCreateDeal",
        kind="command",
        system="hubspot",
        action="create_deal",
        completion=HubspotDealCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "CONFLICT": "rejected",
                "VALIDATION_ERROR": "rejected",
            }
        ),
    )
    deal_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="In a line.",
        ),
    ]
    amount: Annotated[
        Decimal | None,
        Field(
            max_digits=14,
            decimal_places=2,
            description="In the account's currency.",
        ),
    ] = None
    pipeline: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Internal name of the pipeline, default for one.",
        ),
    ]
    stage: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            description="Internal name of a stage of that pipeline.",
        ),
    ]
    contact_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=30,
            description="HubSpot's id of the contact.",
        ),
    ]


class HubspotDeleteCompany(Record):
    """Undo HubspotCreateCompany. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotDeleteCompany",
        type="saga.hubspot.HubspotDeleteCompany",
        kind="command",
        system="hubspot",
        action="delete_company",
        completion=HubspotCompanyDeleted,
        effect="idempotent",
    )


class HubspotDeleteContact(Record):
    """Undo HubspotCreateContact. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotDeleteContact",
        type="saga.hubspot.HubspotDeleteContact",
        kind="command",
        system="hubspot",
        action="delete_contact",
        completion=HubspotContactDeleted,
        effect="idempotent",
    )


class HubspotDeleteDeal(Record):
    """Undo HubspotCreateDeal. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.hubspot.HubspotDeleteDeal",
        type="saga.hubspot.HubspotDeleteDeal",
        kind="command",
        system="hubspot",
        action="delete_deal",
        completion=HubspotDealDeleted,
        effect="idempotent",
    )


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


class GraphAddGroupMember(Record):
    """Add a user to a group; who is a member already is refused, so that an undo never takes away what somebody else gave. Should an answer be lost just as somebody else adds the same user, that membership counts as ours."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphAddGroupMember",
        type="saga.microsoft_graph.GraphAddGroupMember",
        kind="command",
        system="microsoft-graph",
        action="add_group_member",
        completion=GraphGroupMemberAdded,
        effect="queryable",
        errors=MappingProxyType(
            {
                "REQUEST_BADREQUEST": "rejected",
                "REQUEST_RESOURCENOTFOUND": "rejected",
                "AUTHORIZATION_REQUESTDENIED": "failed",
            }
        ),
    )
    group_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Entra's object id of the group.",
        ),
    ]
    user_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Entra's object id of the user.",
        ),
    ]


class GraphCreateEvent(Record):
    """Put an event into a user's calendar. Those invited get mail, and mail again when it is undone."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphCreateEvent",
        type="saga.microsoft_graph.GraphCreateEvent",
        kind="command",
        system="microsoft-graph",
        action="create_event",
        completion=GraphEventCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "ERRORINVALIDUSER": "rejected",
                "ERRORINVALIDREQUEST": "rejected",
                "ERRORACCESSDENIED": "failed",
            }
        ),
    )
    user_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Object id or principal name of the calendar's owner.",
        ),
    ]
    subject: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="In a line.",
        ),
    ]
    body: Annotated[
        str | None,
        Field(
            max_length=30000,
            description="All of it.",
        ),
    ] = None
    starts_at: Annotated[
        AwareDatetime,
        Field(
            description="When it starts.",
        ),
    ]
    ends_at: Annotated[
        AwareDatetime,
        Field(
            description="When it ends.",
        ),
    ]
    attendee_email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Who is invited.",
        ),
    ] = None


class GraphCreateGroup(Record):
    """Create a security group. Its members are added one by one."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphCreateGroup",
        type="saga.microsoft_graph.GraphCreateGroup",
        kind="command",
        system="microsoft-graph",
        action="create_group",
        completion=GraphGroupCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "REQUEST_BADREQUEST": "rejected",
                "AUTHORIZATION_REQUESTDENIED": "failed",
            }
        ),
    )
    display_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="Name in the address book.",
        ),
    ]
    mail_nickname: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9._-]{1,64}$",
            description="Alias; ASCII without spaces and @.",
        ),
    ]
    description: Annotated[
        str | None,
        Field(
            max_length=1024,
            description="What the group is for.",
        ),
    ] = None


class GraphDeleteEvent(Record):
    """Undo GraphCreateEvent. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphDeleteEvent",
        type="saga.microsoft_graph.GraphDeleteEvent",
        kind="command",
        system="microsoft-graph",
        action="delete_event",
        completion=GraphEventDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "ERRORINVALIDUSER": "rejected",
                "ERRORACCESSDENIED": "failed",
            }
        ),
    )
    user_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            description="Object id or principal name of the calendar's owner.",
        ),
    ]


class GraphDeleteGroup(Record):
    """Undo GraphCreateGroup. A security group is gone at once and cannot be restored. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphDeleteGroup",
        type="saga.microsoft_graph.GraphDeleteGroup",
        kind="command",
        system="microsoft-graph",
        action="delete_group",
        completion=GraphGroupDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "AUTHORIZATION_REQUESTDENIED": "failed",
            }
        ),
    )


class GraphRemoveGroupMember(Record):
    """Undo GraphAddGroupMember. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.microsoft_graph.GraphRemoveGroupMember",
        type="saga.microsoft_graph.GraphRemoveGroupMember",
        kind="command",
        system="microsoft-graph",
        action="remove_group_member",
        completion=GraphGroupMemberRemoved,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "AUTHORIZATION_REQUESTDENIED": "failed",
            }
        ),
    )
    group_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Entra's object id of the group.",
        ),
    ]
    user_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="Entra's object id of the user.",
        ),
    ]


class NetsuiteCreateCustomer(Record):
    """Create a customer that is a company."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteCreateCustomer",
        type="saga.netsuite.NetsuiteCreateCustomer",
        kind="command",
        system="netsuite",
        action="create_customer",
        completion=NetsuiteCustomerCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
                "INVALID_CONTENT": "rejected",
            }
        ),
    )
    company_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=83,
            description="Name of the company.",
        ),
    ]
    subsidiary_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="Internal id of the subsidiary that sells to it.",
        ),
    ]
    email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where it is written to.",
        ),
    ] = None


class NetsuiteCreateVendor(Record):
    """Create a vendor that is a company."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteCreateVendor",
        type="saga.netsuite.NetsuiteCreateVendor",
        kind="command",
        system="netsuite",
        action="create_vendor",
        completion=NetsuiteVendorCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
                "INVALID_CONTENT": "rejected",
            }
        ),
    )
    company_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=83,
            description="Name of the company.",
        ),
    ]
    subsidiary_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="Internal id of the subsidiary that buys from it.",
        ),
    ]
    email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where it is written to.",
        ),
    ] = None


class NetsuiteCreateVendorBill(Record):
    """Enter a vendor's bill of one expense line."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteCreateVendorBill",
        type="saga.netsuite.NetsuiteCreateVendorBill",
        kind="command",
        system="netsuite",
        action="create_vendor_bill",
        completion=NetsuiteVendorBillCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
                "INVALID_CONTENT": "rejected",
            }
        ),
    )
    vendor_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="Internal id of the vendor.",
        ),
    ]
    bill_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=45,
            description="The vendor's number.",
        ),
    ]
    billed_on: Annotated[
        date,
        Field(
            description="Date on the bill.",
        ),
    ]
    account_id: Annotated[
        str,
        Field(
            pattern="^[0-9]{1,12}$",
            description="Internal id of the expense account.",
        ),
    ]
    amount: Annotated[
        Decimal,
        Field(
            max_digits=14,
            decimal_places=2,
            description="In the vendor's currency.",
        ),
    ]
    memo: Annotated[
        str | None,
        Field(
            max_length=999,
            description="What it is for.",
        ),
    ] = None


class NetsuiteDeleteCustomer(Record):
    """Undo NetsuiteCreateCustomer. Not found is success. Refused once there are transactions of it."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteDeleteCustomer",
        type="saga.netsuite.NetsuiteDeleteCustomer",
        kind="command",
        system="netsuite",
        action="delete_customer",
        completion=NetsuiteCustomerDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
            }
        ),
    )


class NetsuiteDeleteVendor(Record):
    """Undo NetsuiteCreateVendor. Not found is success. Refused once there are transactions of it."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteDeleteVendor",
        type="saga.netsuite.NetsuiteDeleteVendor",
        kind="command",
        system="netsuite",
        action="delete_vendor",
        completion=NetsuiteVendorDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
            }
        ),
    )


class NetsuiteDeleteVendorBill(Record):
    """Undo NetsuiteCreateVendorBill. Not found is success. Refused in a closed period and once it is paid."""

    contract: ClassVar[Contract] = Contract(
        name="saga.netsuite.NetsuiteDeleteVendorBill",
        type="saga.netsuite.NetsuiteDeleteVendorBill",
        kind="command",
        system="netsuite",
        action="delete_vendor_bill",
        completion=NetsuiteVendorBillDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "USER_ERROR": "rejected",
            }
        ),
    )


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


class FusionCreateInvoice(Record):
    """Enter a supplier's invoice of one item line. A number that the supplier has used is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionCreateInvoice",
        type="saga.oracle_fusion.FusionCreateInvoice",
        kind="command",
        system="oracle-fusion",
        action="create_invoice",
        completion=FusionInvoiceCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    invoice_number: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9][A-Za-z0-9._/-]{0,49}$",
            description="The supplier's number.",
        ),
    ]
    business_unit: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Name of the business unit.",
        ),
    ]
    supplier: Annotated[
        str,
        Field(
            min_length=1,
            max_length=360,
            description="Name of the supplier.",
        ),
    ]
    supplier_site: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Its site.",
        ),
    ]
    amount: Annotated[
        Decimal,
        Field(
            max_digits=14,
            decimal_places=2,
            description="Total.",
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


class FusionCreateLocation(Record):
    """Set up a place of work. A code that is taken is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionCreateLocation",
        type="saga.oracle_fusion.FusionCreateLocation",
        kind="command",
        system="oracle-fusion",
        action="create_location",
        completion=FusionLocationCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    location_code: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9_-]{0,29}$",
            description="Its code.",
        ),
    ]
    location_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            description="Its name.",
        ),
    ]
    set_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=30,
            description="Reference data set, COMMON for one.",
        ),
    ]
    effective_on: Annotated[
        date,
        Field(
            description="First day.",
        ),
    ]
    address_line: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Street and number.",
        ),
    ]
    city: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60,
            description="Town.",
        ),
    ]
    country: Annotated[
        str,
        Field(
            pattern="^[A-Z]{2}$",
            description="ISO 3166 alpha-2.",
        ),
    ]


class FusionCreateReceivable(Record):
    """Enter an invoice for a customer, of one line."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionCreateReceivable",
        type="saga.oracle_fusion.FusionCreateReceivable",
        kind="command",
        system="oracle-fusion",
        action="create_receivable",
        completion=FusionReceivableCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    business_unit: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="Name of the business unit.",
        ),
    ]
    customer_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=30,
            description="The customer's account.",
        ),
    ]
    transaction_source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=50,
            description="As it is set up, Manual for one.",
        ),
    ]
    transaction_type: Annotated[
        str,
        Field(
            min_length=1,
            max_length=20,
            description="As it is set up, Invoice for one.",
        ),
    ]
    payment_terms: Annotated[
        str,
        Field(
            min_length=1,
            max_length=15,
            description="As they are set up, 30 Net for one.",
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
    line_description: Annotated[
        str,
        Field(
            min_length=1,
            max_length=240,
            description="What is sold.",
        ),
    ]
    quantity: Annotated[
        int,
        Field(
            ge=-2147483648,
            le=2147483647,
            description="How many.",
        ),
    ]
    unit_price: Annotated[
        Decimal,
        Field(
            max_digits=14,
            decimal_places=2,
            description="Of one.",
        ),
    ]


class FusionDeleteInvoice(Record):
    """Undo FusionCreateInvoice. Not found is success. Refused once the invoice is validated or paid."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionDeleteInvoice",
        type="saga.oracle_fusion.FusionDeleteInvoice",
        kind="command",
        system="oracle-fusion",
        action="delete_invoice",
        completion=FusionInvoiceDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    invoice_number: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9][A-Za-z0-9._/-]{0,49}$",
            description="The supplier's number.",
        ),
    ]


class FusionDeleteLocation(Record):
    """Undo FusionCreateLocation. Not found is success. Refused once somebody works there."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionDeleteLocation",
        type="saga.oracle_fusion.FusionDeleteLocation",
        kind="command",
        system="oracle-fusion",
        action="delete_location",
        completion=FusionLocationDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )
    location_code: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9][A-Z0-9_-]{0,29}$",
            description="Its code.",
        ),
    ]
    effective_on: Annotated[
        date,
        Field(
            description="First day.",
        ),
    ]


class FusionDeleteReceivable(Record):
    """Undo FusionCreateReceivable. Not found is success. Refused once the invoice is posted or paid."""

    contract: ClassVar[Contract] = Contract(
        name="saga.oracle_fusion.FusionDeleteReceivable",
        type="saga.oracle_fusion.FusionDeleteReceivable",
        kind="command",
        system="oracle-fusion",
        action="delete_receivable",
        completion=FusionReceivableDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "HTTP_400": "rejected",
            }
        ),
    )


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


class SapS4BlockSupplier(Record):
    """Undo SapS4CreateSupplier by blocking it and marking it for archiving. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4BlockSupplier",
        type="saga.sap_s4.SapS4BlockSupplier",
        kind="command",
        system="sap-s4",
        action="block_supplier",
        completion=SapS4SupplierBlocked,
        effect="idempotent",
    )


class SapS4CancelSupplierInvoice(Record):
    """Undo SapS4PostSupplierInvoice by another document that reverses it. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4CancelSupplierInvoice",
        type="saga.sap_s4.SapS4CancelSupplierInvoice",
        kind="command",
        system="sap-s4",
        action="cancel_supplier_invoice",
        completion=SapS4SupplierInvoiceCancelled,
        effect="idempotent",
    )
    supplier_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="As in the invoice.",
        ),
    ]
    invoice_number: Annotated[
        str,
        Field(
            min_length=1,
            max_length=16,
            description="As in the invoice.",
        ),
    ]
    posted_on: Annotated[
        date,
        Field(
            description="Of the reversal, in an open period.",
        ),
    ]
    reversal_reason: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=2,
            description="02 if left out, as installed: reversal in the period of that date.",
        ),
    ] = None


class SapS4CreatePurchaseOrder(Record):
    """Order one material from a supplier."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4CreatePurchaseOrder",
        type="saga.sap_s4.SapS4CreatePurchaseOrder",
        kind="command",
        system="sap-s4",
        action="create_purchase_order",
        completion=SapS4PurchaseOrderCreated,
        effect="queryable",
    )
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="Who orders.",
        ),
    ]
    purchasing_organization: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="Which negotiates.",
        ),
    ]
    purchasing_group: Annotated[
        str,
        Field(
            min_length=1,
            max_length=3,
            description="The buyers.",
        ),
    ]
    supplier_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="The supplier's number.",
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
            max_length=40,
            description="Its number.",
        ),
    ]
    plant: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="Where it is wanted.",
        ),
    ]
    quantity: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=3,
            description="In `unit`.",
        ),
    ]
    unit: Annotated[
        str,
        Field(
            min_length=1,
            max_length=3,
            description="PC, for one.",
        ),
    ]
    net_price: Annotated[
        Decimal,
        Field(
            max_digits=14,
            decimal_places=2,
            description="For one unit.",
        ),
    ]


class SapS4CreateSupplier(Record):
    """Create an organization as a business partner with the roles of a supplier."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4CreateSupplier",
        type="saga.sap_s4.SapS4CreateSupplier",
        kind="command",
        system="sap-s4",
        action="create_supplier",
        completion=SapS4SupplierCreated,
        effect="queryable",
    )
    supplier_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=40,
            description="Name of the organization.",
        ),
    ]
    grouping: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="Which decides on the number range.",
        ),
    ]
    search_term: Annotated[
        str | None,
        Field(
            max_length=20,
            description="By which people find it.",
        ),
    ] = None


class SapS4DeletePurchaseOrder(Record):
    """Undo SapS4CreatePurchaseOrder. Not found is success. SAP refuses it once goods or an invoice have come."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4DeletePurchaseOrder",
        type="saga.sap_s4.SapS4DeletePurchaseOrder",
        kind="command",
        system="sap-s4",
        action="delete_purchase_order",
        completion=SapS4PurchaseOrderDeleted,
        effect="idempotent",
    )
    supplier_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="As in the order.",
        ),
    ]
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="As in the order.",
        ),
    ]


class SapS4PostSupplierInvoice(Record):
    """Post a supplier's invoice of one item to a G/L account."""

    contract: ClassVar[Contract] = Contract(
        name="saga.sap_s4.SapS4PostSupplierInvoice",
        type="saga.sap_s4.SapS4PostSupplierInvoice",
        kind="command",
        system="sap-s4",
        action="post_supplier_invoice",
        completion=SapS4SupplierInvoicePosted,
        effect="queryable",
    )
    company_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4,
            description="Who is to pay.",
        ),
    ]
    supplier_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="The invoicing party's number.",
        ),
    ]
    invoice_number: Annotated[
        str,
        Field(
            pattern="^[A-Z0-9./ -]{1,16}$",
            description="The supplier's.",
        ),
    ]
    invoiced_on: Annotated[
        date,
        Field(
            description="Date on the invoice.",
        ),
    ]
    posted_on: Annotated[
        date,
        Field(
            description="In an open period.",
        ),
    ]
    currency: Annotated[
        str,
        Field(
            pattern="^[A-Z]{3}$",
            description="ISO 4217.",
        ),
    ]
    gross_amount: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=2,
            description="In that currency.",
        ),
    ]
    net_amount: Annotated[
        Decimal,
        Field(
            max_digits=13,
            decimal_places=2,
            description="Without tax.",
        ),
    ]
    tax_code: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2,
            description="V1, for one.",
        ),
    ]
    gl_account: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10,
            description="Which is debited.",
        ),
    ]
    cost_center: Annotated[
        str | None,
        Field(
            max_length=10,
            description="Which is charged.",
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


class ZendeskCreateOrganization(Record):
    """Create an organization. A known name is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskCreateOrganization",
        type="saga.zendesk.ZendeskCreateOrganization",
        kind="command",
        system="zendesk",
        action="create_organization",
        completion=ZendeskOrganizationCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "DUPLICATEVALUE": "rejected",
                "RECORDINVALID": "rejected",
                "BLANKVALUE": "rejected",
            }
        ),
    )
    organization_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Name of the organization.",
        ),
    ]
    details: Annotated[
        str | None,
        Field(
            max_length=5000,
            description="Anything else about it.",
        ),
    ] = None


class ZendeskPriority(StrEnum):
    """saga.zendesk.ZendeskPriority."""

    low = "low"
    normal = "normal"
    high = "high"
    urgent = "urgent"


class ZendeskCreateTicket(Record):
    """Open a ticket. Zendesk's triggers may send mail about it, which no undo calls back."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskCreateTicket",
        type="saga.zendesk.ZendeskCreateTicket",
        kind="command",
        system="zendesk",
        action="create_ticket",
        completion=ZendeskTicketCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "RECORDINVALID": "rejected",
                "BLANKVALUE": "rejected",
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
    body: Annotated[
        str,
        Field(
            min_length=1,
            max_length=60000,
            description="The first comment.",
        ),
    ]
    priority: Annotated[
        ZendeskPriority | None,
        Field(
            description="How urgent it is.",
        ),
    ] = None
    requester_id: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Zendesk's id of the user who asks; the agent of the credential if left out.",
        ),
    ] = None
    public: Annotated[
        bool,
        Field(
            description="Whether the requester sees the first comment.",
        ),
    ]


class ZendeskCreateUser(Record):
    """Create an end user, without a mail that asks to verify the address. A known address is refused."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskCreateUser",
        type="saga.zendesk.ZendeskCreateUser",
        kind="command",
        system="zendesk",
        action="create_user",
        completion=ZendeskUserCreated,
        effect="queryable",
        errors=MappingProxyType(
            {
                "DUPLICATEVALUE": "rejected",
                "RECORDINVALID": "rejected",
                "BLANKVALUE": "rejected",
            }
        ),
    )
    user_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=255,
            description="Full name.",
        ),
    ]
    email: Annotated[
        str,
        Field(
            max_length=254,
            pattern="^[^@\\s<>,;:\\\"]+@[^@\\s<>,;:\\\".]+(\\.[^@\\s<>,;:\\\".]+)+$",
            description="Where the user is written to.",
        ),
    ]
    organization_id: Annotated[
        int | None,
        Field(
            ge=-9223372036854775808,
            le=9223372036854775807,
            description="Zendesk's id of the user's organization.",
        ),
    ] = None


class ZendeskDeleteOrganization(Record):
    """Undo ZendeskCreateOrganization. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskDeleteOrganization",
        type="saga.zendesk.ZendeskDeleteOrganization",
        kind="command",
        system="zendesk",
        action="delete_organization",
        completion=ZendeskOrganizationDeleted,
        effect="idempotent",
    )


class ZendeskDeleteTicket(Record):
    """Undo ZendeskCreateTicket. Not found is success."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskDeleteTicket",
        type="saga.zendesk.ZendeskDeleteTicket",
        kind="command",
        system="zendesk",
        action="delete_ticket",
        completion=ZendeskTicketDeleted,
        effect="idempotent",
    )


class ZendeskDeleteUser(Record):
    """Undo ZendeskCreateUser. Not found is success. Refused while the user has open tickets."""

    contract: ClassVar[Contract] = Contract(
        name="saga.zendesk.ZendeskDeleteUser",
        type="saga.zendesk.ZendeskDeleteUser",
        kind="command",
        system="zendesk",
        action="delete_user",
        completion=ZendeskUserDeleted,
        effect="idempotent",
        errors=MappingProxyType(
            {
                "RECORDINVALID": "rejected",
            }
        ),
    )


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
        "saga.bamboohr.BamboohrCancelTimeOff": BamboohrCancelTimeOff,
        "saga.bamboohr.BamboohrCreateEmployee": BamboohrCreateEmployee,
        "saga.bamboohr.BamboohrCreateGoal": BamboohrCreateGoal,
        "saga.bamboohr.BamboohrDeactivateEmployee": BamboohrDeactivateEmployee,
        "saga.bamboohr.BamboohrDeleteGoal": BamboohrDeleteGoal,
        "saga.bamboohr.BamboohrEmployeeCreated": BamboohrEmployeeCreated,
        "saga.bamboohr.BamboohrEmployeeDeactivated": BamboohrEmployeeDeactivated,
        "saga.bamboohr.BamboohrGoalCreated": BamboohrGoalCreated,
        "saga.bamboohr.BamboohrGoalDeleted": BamboohrGoalDeleted,
        "saga.bamboohr.BamboohrRequestTimeOff": BamboohrRequestTimeOff,
        "saga.bamboohr.BamboohrTimeOffCancelled": BamboohrTimeOffCancelled,
        "saga.bamboohr.BamboohrTimeOffRequested": BamboohrTimeOffRequested,
        "saga.dynamics_365.DynamicsAccountCreated": DynamicsAccountCreated,
        "saga.dynamics_365.DynamicsAccountDeleted": DynamicsAccountDeleted,
        "saga.dynamics_365.DynamicsContactCreated": DynamicsContactCreated,
        "saga.dynamics_365.DynamicsContactDeleted": DynamicsContactDeleted,
        "saga.dynamics_365.DynamicsCreateAccount": DynamicsCreateAccount,
        "saga.dynamics_365.DynamicsCreateContact": DynamicsCreateContact,
        "saga.dynamics_365.DynamicsCreateOpportunity": DynamicsCreateOpportunity,
        "saga.dynamics_365.DynamicsDeleteAccount": DynamicsDeleteAccount,
        "saga.dynamics_365.DynamicsDeleteContact": DynamicsDeleteContact,
        "saga.dynamics_365.DynamicsDeleteOpportunity": DynamicsDeleteOpportunity,
        "saga.dynamics_365.DynamicsOpportunityCreated": DynamicsOpportunityCreated,
        "saga.dynamics_365.DynamicsOpportunityDeleted": DynamicsOpportunityDeleted,
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
        "saga.google_workspace.GoogleCreateEvent": GoogleCreateEvent,
        "saga.google_workspace.GoogleCreateFolder": GoogleCreateFolder,
        "saga.google_workspace.GoogleDeleteEvent": GoogleDeleteEvent,
        "saga.google_workspace.GoogleDeleteFolder": GoogleDeleteFolder,
        "saga.google_workspace.GoogleEventCreated": GoogleEventCreated,
        "saga.google_workspace.GoogleEventDeleted": GoogleEventDeleted,
        "saga.google_workspace.GoogleFileIdReserved": GoogleFileIdReserved,
        "saga.google_workspace.GoogleFileMoved": GoogleFileMoved,
        "saga.google_workspace.GoogleFileMovedBack": GoogleFileMovedBack,
        "saga.google_workspace.GoogleFolderCreated": GoogleFolderCreated,
        "saga.google_workspace.GoogleFolderDeleted": GoogleFolderDeleted,
        "saga.google_workspace.GoogleMoveFile": GoogleMoveFile,
        "saga.google_workspace.GoogleMoveFileBack": GoogleMoveFileBack,
        "saga.google_workspace.GoogleReserveFileId": GoogleReserveFileId,
        "saga.hubspot.HubspotCompanyCreated": HubspotCompanyCreated,
        "saga.hubspot.HubspotCompanyDeleted": HubspotCompanyDeleted,
        "saga.hubspot.HubspotContactCreated": HubspotContactCreated,
        "saga.hubspot.HubspotContactDeleted": HubspotContactDeleted,
        "saga.hubspot.HubspotCreateCompany": HubspotCreateCompany,
        "saga.hubspot.HubspotCreateContact": HubspotCreateContact,
        "saga.hubspot.HubspotCreateDeal": HubspotCreateDeal,
        "saga.hubspot.HubspotDealCreated": HubspotDealCreated,
        "saga.hubspot.HubspotDealDeleted": HubspotDealDeleted,
        "saga.hubspot.HubspotDeleteCompany": HubspotDeleteCompany,
        "saga.hubspot.HubspotDeleteContact": HubspotDeleteContact,
        "saga.hubspot.HubspotDeleteDeal": HubspotDeleteDeal,
        "saga.invoice.ProcessInvoiceRequested": ProcessInvoiceRequested,
        "saga.mail.ApologyEmailSent": ApologyEmailSent,
        "saga.mail.SendApologyEmail": SendApologyEmail,
        "saga.mail.SendWelcomeEmail": SendWelcomeEmail,
        "saga.mail.WelcomeEmailSent": WelcomeEmailSent,
        "saga.microsoft_graph.GraphAddGroupMember": GraphAddGroupMember,
        "saga.microsoft_graph.GraphCreateEvent": GraphCreateEvent,
        "saga.microsoft_graph.GraphCreateGroup": GraphCreateGroup,
        "saga.microsoft_graph.GraphDeleteEvent": GraphDeleteEvent,
        "saga.microsoft_graph.GraphDeleteGroup": GraphDeleteGroup,
        "saga.microsoft_graph.GraphEventCreated": GraphEventCreated,
        "saga.microsoft_graph.GraphEventDeleted": GraphEventDeleted,
        "saga.microsoft_graph.GraphGroupCreated": GraphGroupCreated,
        "saga.microsoft_graph.GraphGroupDeleted": GraphGroupDeleted,
        "saga.microsoft_graph.GraphGroupMemberAdded": GraphGroupMemberAdded,
        "saga.microsoft_graph.GraphGroupMemberRemoved": GraphGroupMemberRemoved,
        "saga.microsoft_graph.GraphRemoveGroupMember": GraphRemoveGroupMember,
        "saga.netsuite.NetsuiteCreateCustomer": NetsuiteCreateCustomer,
        "saga.netsuite.NetsuiteCreateVendor": NetsuiteCreateVendor,
        "saga.netsuite.NetsuiteCreateVendorBill": NetsuiteCreateVendorBill,
        "saga.netsuite.NetsuiteCustomerCreated": NetsuiteCustomerCreated,
        "saga.netsuite.NetsuiteCustomerDeleted": NetsuiteCustomerDeleted,
        "saga.netsuite.NetsuiteDeleteCustomer": NetsuiteDeleteCustomer,
        "saga.netsuite.NetsuiteDeleteVendor": NetsuiteDeleteVendor,
        "saga.netsuite.NetsuiteDeleteVendorBill": NetsuiteDeleteVendorBill,
        "saga.netsuite.NetsuiteVendorBillCreated": NetsuiteVendorBillCreated,
        "saga.netsuite.NetsuiteVendorBillDeleted": NetsuiteVendorBillDeleted,
        "saga.netsuite.NetsuiteVendorCreated": NetsuiteVendorCreated,
        "saga.netsuite.NetsuiteVendorDeleted": NetsuiteVendorDeleted,
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
        "saga.oracle_fusion.FusionCreateInvoice": FusionCreateInvoice,
        "saga.oracle_fusion.FusionCreateLocation": FusionCreateLocation,
        "saga.oracle_fusion.FusionCreateReceivable": FusionCreateReceivable,
        "saga.oracle_fusion.FusionDeleteInvoice": FusionDeleteInvoice,
        "saga.oracle_fusion.FusionDeleteLocation": FusionDeleteLocation,
        "saga.oracle_fusion.FusionDeleteReceivable": FusionDeleteReceivable,
        "saga.oracle_fusion.FusionInvoiceCreated": FusionInvoiceCreated,
        "saga.oracle_fusion.FusionInvoiceDeleted": FusionInvoiceDeleted,
        "saga.oracle_fusion.FusionLocationCreated": FusionLocationCreated,
        "saga.oracle_fusion.FusionLocationDeleted": FusionLocationDeleted,
        "saga.oracle_fusion.FusionReceivableCreated": FusionReceivableCreated,
        "saga.oracle_fusion.FusionReceivableDeleted": FusionReceivableDeleted,
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
        "saga.sap_s4.SapS4BlockSupplier": SapS4BlockSupplier,
        "saga.sap_s4.SapS4CancelSupplierInvoice": SapS4CancelSupplierInvoice,
        "saga.sap_s4.SapS4CreatePurchaseOrder": SapS4CreatePurchaseOrder,
        "saga.sap_s4.SapS4CreateSupplier": SapS4CreateSupplier,
        "saga.sap_s4.SapS4DeletePurchaseOrder": SapS4DeletePurchaseOrder,
        "saga.sap_s4.SapS4PostSupplierInvoice": SapS4PostSupplierInvoice,
        "saga.sap_s4.SapS4PurchaseOrderCreated": SapS4PurchaseOrderCreated,
        "saga.sap_s4.SapS4PurchaseOrderDeleted": SapS4PurchaseOrderDeleted,
        "saga.sap_s4.SapS4SupplierBlocked": SapS4SupplierBlocked,
        "saga.sap_s4.SapS4SupplierCreated": SapS4SupplierCreated,
        "saga.sap_s4.SapS4SupplierInvoiceCancelled": SapS4SupplierInvoiceCancelled,
        "saga.sap_s4.SapS4SupplierInvoicePosted": SapS4SupplierInvoicePosted,
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
        "saga.zendesk.ZendeskCreateOrganization": ZendeskCreateOrganization,
        "saga.zendesk.ZendeskCreateTicket": ZendeskCreateTicket,
        "saga.zendesk.ZendeskCreateUser": ZendeskCreateUser,
        "saga.zendesk.ZendeskDeleteOrganization": ZendeskDeleteOrganization,
        "saga.zendesk.ZendeskDeleteTicket": ZendeskDeleteTicket,
        "saga.zendesk.ZendeskDeleteUser": ZendeskDeleteUser,
        "saga.zendesk.ZendeskOrganizationCreated": ZendeskOrganizationCreated,
        "saga.zendesk.ZendeskOrganizationDeleted": ZendeskOrganizationDeleted,
        "saga.zendesk.ZendeskTicketCreated": ZendeskTicketCreated,
        "saga.zendesk.ZendeskTicketDeleted": ZendeskTicketDeleted,
        "saga.zendesk.ZendeskUserCreated": ZendeskUserCreated,
        "saga.zendesk.ZendeskUserDeleted": ZendeskUserDeleted,
    }
)

__all__ = [
    "ApologyEmailSent",
    "ApproveSupplier",
    "BY_NAME",
    "BamboohrCancelTimeOff",
    "BamboohrCreateEmployee",
    "BamboohrCreateGoal",
    "BamboohrDeactivateEmployee",
    "BamboohrDeleteGoal",
    "BamboohrEmployeeCreated",
    "BamboohrEmployeeDeactivated",
    "BamboohrGoalCreated",
    "BamboohrGoalDeleted",
    "BamboohrRequestTimeOff",
    "BamboohrTimeOffCancelled",
    "BamboohrTimeOffRequested",
    "CircuitState",
    "ClosePortalAccount",
    "Contract",
    "ControlCommand",
    "CreatePortalAccount",
    "CreateVendor",
    "DeactivateVendor",
    "DynamicsAccountCreated",
    "DynamicsAccountDeleted",
    "DynamicsContactCreated",
    "DynamicsContactDeleted",
    "DynamicsCreateAccount",
    "DynamicsCreateContact",
    "DynamicsCreateOpportunity",
    "DynamicsDeleteAccount",
    "DynamicsDeleteContact",
    "DynamicsDeleteOpportunity",
    "DynamicsOpportunityCreated",
    "DynamicsOpportunityDeleted",
    "EffectClass",
    "EndStatus",
    "ErpPaymentTerms",
    "ErpVendorType",
    "FailureOutcome",
    "FusionCreateInvoice",
    "FusionCreateLocation",
    "FusionCreateReceivable",
    "FusionDeleteInvoice",
    "FusionDeleteLocation",
    "FusionDeleteReceivable",
    "FusionInvoiceCreated",
    "FusionInvoiceDeleted",
    "FusionLocationCreated",
    "FusionLocationDeleted",
    "FusionReceivableCreated",
    "FusionReceivableDeleted",
    "GoogleCreateEvent",
    "GoogleCreateFolder",
    "GoogleDeleteEvent",
    "GoogleDeleteFolder",
    "GoogleEventCreated",
    "GoogleEventDeleted",
    "GoogleFileIdReserved",
    "GoogleFileMoved",
    "GoogleFileMovedBack",
    "GoogleFolderCreated",
    "GoogleFolderDeleted",
    "GoogleMoveFile",
    "GoogleMoveFileBack",
    "GoogleReserveFileId",
    "GraphAddGroupMember",
    "GraphCreateEvent",
    "GraphCreateGroup",
    "GraphDeleteEvent",
    "GraphDeleteGroup",
    "GraphEventCreated",
    "GraphEventDeleted",
    "GraphGroupCreated",
    "GraphGroupDeleted",
    "GraphGroupMemberAdded",
    "GraphGroupMemberRemoved",
    "GraphRemoveGroupMember",
    "HubspotCompanyCreated",
    "HubspotCompanyDeleted",
    "HubspotContactCreated",
    "HubspotContactDeleted",
    "HubspotCreateCompany",
    "HubspotCreateContact",
    "HubspotCreateDeal",
    "HubspotDealCreated",
    "HubspotDealDeleted",
    "HubspotDeleteCompany",
    "HubspotDeleteContact",
    "HubspotDeleteDeal",
    "InvoiceProcessed",
    "InvoiceReversed",
    "NetsuiteCreateCustomer",
    "NetsuiteCreateVendor",
    "NetsuiteCreateVendorBill",
    "NetsuiteCustomerCreated",
    "NetsuiteCustomerDeleted",
    "NetsuiteDeleteCustomer",
    "NetsuiteDeleteVendor",
    "NetsuiteDeleteVendorBill",
    "NetsuiteVendorBillCreated",
    "NetsuiteVendorBillDeleted",
    "NetsuiteVendorCreated",
    "NetsuiteVendorDeleted",
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
    "SapS4BlockSupplier",
    "SapS4CancelSupplierInvoice",
    "SapS4CreatePurchaseOrder",
    "SapS4CreateSupplier",
    "SapS4DeletePurchaseOrder",
    "SapS4PostSupplierInvoice",
    "SapS4PurchaseOrderCreated",
    "SapS4PurchaseOrderDeleted",
    "SapS4SupplierBlocked",
    "SapS4SupplierCreated",
    "SapS4SupplierInvoiceCancelled",
    "SapS4SupplierInvoicePosted",
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
    "ZendeskCreateOrganization",
    "ZendeskCreateTicket",
    "ZendeskCreateUser",
    "ZendeskDeleteOrganization",
    "ZendeskDeleteTicket",
    "ZendeskDeleteUser",
    "ZendeskOrganizationCreated",
    "ZendeskOrganizationDeleted",
    "ZendeskPriority",
    "ZendeskTicketCreated",
    "ZendeskTicketDeleted",
    "ZendeskUserCreated",
    "ZendeskUserDeleted",
]
