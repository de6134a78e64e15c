// Entities and fields of SAP S/4HANA's own $metadata, as far as sap-s4.yaml needs them.

@path: '/sap/API_BUSINESS_PARTNER'
service API_BUSINESS_PARTNER {
  entity A_BusinessPartner {
    key BusinessPartner          : String(10);
    BusinessPartnerCategory      : String(1);
    BusinessPartnerGrouping      : String(4);
    OrganizationBPName1          : String(40);
    SearchTerm1                  : String(20);
    BusinessPartnerIDByExtSystem : String(20);
    BusinessPartnerIsBlocked     : Boolean default false;
    IsMarkedForArchiving         : Boolean default false;
    CreationDate                 : Date @cds.on.insert: $now;
    ETag                         : String(26) @odata.etag;
    to_BusinessPartnerRole       : Composition of many A_BusinessPartnerRole
                                     on to_BusinessPartnerRole.BusinessPartner = BusinessPartner;
  }
  entity A_BusinessPartnerRole {
    key BusinessPartner     : String(10);
    key BusinessPartnerRole : String(6);
  }
}

@path: '/sap/API_PURCHASEORDER_PROCESS_SRV'
service API_PURCHASEORDER_PROCESS_SRV {
  entity A_PurchaseOrder {
    key PurchaseOrder              : String(10);
    PurchaseOrderType              : String(4);
    CompanyCode                    : String(4);
    PurchasingOrganization         : String(4);
    PurchasingGroup                : String(3);
    Supplier                       : String(10);
    DocumentCurrency               : String(5);
    CorrespncExternalReference     : String(12);
    PurchasingDocumentDeletionCode : String(1) default '';
    to_PurchaseOrderItem           : Composition of many A_PurchaseOrderItem
                                       on to_PurchaseOrderItem.PurchaseOrder = PurchaseOrder;
  }
  entity A_PurchaseOrderItem {
    key PurchaseOrder         : String(10);
    key PurchaseOrderItem     : String(5);
    Material                  : String(40);
    Plant                     : String(4);
    OrderQuantity             : Decimal(13, 3);
    PurchaseOrderQuantityUnit : String(3);
    NetPriceAmount            : Decimal(16, 3);
    DocumentCurrency          : String(5);
  }
}

@path: '/sap/API_SUPPLIERINVOICE_PROCESS_SRV'
service API_SUPPLIERINVOICE_PROCESS_SRV {
  entity A_SupplierInvoice {
    key SupplierInvoice           : String(10);
    key FiscalYear                : String(4);
    CompanyCode                   : String(4);
    DocumentDate                  : Date;
    PostingDate                   : Date;
    SupplierInvoiceIDByInvcgParty : String(16);
    InvoicingParty                : String(10);
    DocumentCurrency              : String(5);
    InvoiceGrossAmount            : Decimal(14, 3);
    DocumentHeaderText            : String(25);
    TaxIsCalculatedAutomatically  : Boolean;
    ReverseDocument               : String(10) default '';
    ReverseDocumentFiscalYear     : String(4) default '';
    IsReversal                    : Boolean default false;
    IsReversed                    : Boolean default false;
    to_SupplierInvoiceItemGLAcct  : Composition of many A_SupplierInvoiceItemGLAcct
                                      on to_SupplierInvoiceItemGLAcct.SupplierInvoice = SupplierInvoice
                                     and to_SupplierInvoiceItemGLAcct.FiscalYear = FiscalYear;
  }
  entity A_SupplierInvoiceItemGLAcct {
    key SupplierInvoice       : String(10);
    key FiscalYear            : String(4);
    key SupplierInvoiceItem   : String(4);
    CompanyCode               : String(4);
    CostCenter                : String(10);
    GLAccount                 : String(10);
    DocumentCurrency          : String(5);
    SupplierInvoiceItemAmount : Decimal(14, 3);
    TaxCode                   : String(2);
    DebitCreditCode           : String(1);
  }
  type CancelInvoiceExportParameters {
    ReverseDocument : String(10);
    FiscalYear      : String(4);
    Success         : Boolean;
  }
  action Cancel(PostingDate : DateTime, ReversalReason : String(2), FiscalYear : String(4), SupplierInvoice : String(10))
    returns CancelInvoiceExportParameters;
}
