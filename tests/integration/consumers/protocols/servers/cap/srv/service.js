const cds = require('@sap/cds')

module.exports = class ErpService extends cds.ApplicationService {
  async init() {
    const { Vendors } = this.entities
    this.before(['CREATE', 'UPDATE'], Vendors, req => { req.data.changedAt = new Date().toISOString() })
    this.before('CREATE', Vendors, async req => {
      const { taxId, name } = req.data
      if (name === 'BREAK') throw new Error('something broke')
      if (await SELECT.one.from(Vendors).where({ taxId })) req.reject({ status: 409, code: 'DUPLICATE_TAX_ID', message: 'DUPLICATE_TAX_ID', target: 'taxId' })
    })
    this.on('block', async req => {
      await UPDATE(Vendors, req.data.ID).with({ name: req.data.reason })
      return SELECT.one.from(Vendors, req.data.ID)
    })
    return super.init()
  }
}
