// What SAP does and a plain CAP service does not: numbers from its ranges, an order that is deleted is only marked,
// an invoice is reversed by another document that has the same references.
const cds = require('@sap/cds')

let last = 5100000000
const number = () => String(++last)
const refuse = (req, code, message) => req.reject({ status: 400, code, message })

class API_BUSINESS_PARTNER extends cds.ApplicationService {
  init() {
    const { A_BusinessPartner } = this.entities
    this.before('CREATE', A_BusinessPartner, req => {
      if (req.data.BusinessPartnerGrouping === 'NONE') refuse(req, 'R11/123', 'Grouping NONE does not exist')
      req.data.BusinessPartner = number()
      for (const role of req.data.to_BusinessPartnerRole ?? []) role.BusinessPartner = req.data.BusinessPartner
    })
    this.before(['CREATE', 'UPDATE'], A_BusinessPartner, req => { req.data.ETag = number() })
    this.on('DELETE', A_BusinessPartner, req => req.reject(405))
    return super.init()
  }
}

class API_PURCHASEORDER_PROCESS_SRV extends cds.ApplicationService {
  init() {
    const { A_PurchaseOrder } = this.entities
    this.before('CREATE', A_PurchaseOrder, req => {
      req.data.PurchaseOrder = number()
      for (const item of req.data.to_PurchaseOrderItem) item.PurchaseOrder = req.data.PurchaseOrder
    })
    this.on('DELETE', A_PurchaseOrder, async req => {
      await UPDATE(A_PurchaseOrder, req.params[0]).with({ PurchasingDocumentDeletionCode: 'L' })
    })
    return super.init()
  }
}

class API_SUPPLIERINVOICE_PROCESS_SRV extends cds.ApplicationService {
  init() {
    const { A_SupplierInvoice } = this.entities
    this.before('CREATE', A_SupplierInvoice, req => {
      const { PostingDate, InvoiceGrossAmount, to_SupplierInvoiceItemGLAcct: items } = req.data
      if (items[0].SupplierInvoiceItemAmount > InvoiceGrossAmount) refuse(req, 'M8/534', 'Balance not zero')
      Object.assign(req.data, { SupplierInvoice: number(), FiscalYear: PostingDate.slice(0, 4) })
      const { SupplierInvoice, FiscalYear } = req.data
      for (const item of items) Object.assign(item, { SupplierInvoice, FiscalYear })
    })
    this.on('UPDATE', A_SupplierInvoice, req => req.reject(405))
    this.on('Cancel', async req => {
      const { SupplierInvoice, FiscalYear, PostingDate, ReversalReason } = req.data
      const invoice = await SELECT.one.from(A_SupplierInvoice, { SupplierInvoice, FiscalYear })
      if (!invoice || invoice.IsReversed) return refuse(req, 'M8/298', 'The invoice cannot be reversed')
      if (!ReversalReason) return refuse(req, 'M8/299', 'No reversal reason')
      const by = { SupplierInvoice: number(), FiscalYear: PostingDate.slice(0, 4) }
      await INSERT.into(A_SupplierInvoice).entries({ ...invoice, ...by, PostingDate: PostingDate.slice(0, 10), IsReversal: true })
      await UPDATE(A_SupplierInvoice, { SupplierInvoice, FiscalYear })
        .with({ IsReversed: true, ReverseDocument: by.SupplierInvoice, ReverseDocumentFiscalYear: by.FiscalYear })
      return { ReverseDocument: by.SupplierInvoice, FiscalYear: by.FiscalYear, Success: true }
    })
    return super.init()
  }
}

module.exports = { API_BUSINESS_PARTNER, API_PURCHASEORDER_PROCESS_SRV, API_SUPPLIERINVOICE_PROCESS_SRV }
