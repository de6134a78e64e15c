const cds = require('@sap/cds')

module.exports = class Dataverse extends cds.ApplicationService {
  init() {
    const { accounts, contacts, opportunities } = this.entities
    const column = { contacts: 'parentcustomerid_account_accountid', opportunities: 'customerid_account_accountid' }
    this.before(['CREATE', 'UPDATE'], [contacts, opportunities], async req => {
      const accountid = req.data[column[req.target.name.split('.').pop()]]
      if (accountid && !(await SELECT.one.from(accounts, { accountid }))) {
        req.reject({ status: 404, code: '0x80040217', message: 'account Does Not Exist' })
      }
    })
    this.before(['CREATE', 'UPDATE'], accounts, async req => {
      const { accountid, accountnumber } = req.data
      const other = accountnumber && await SELECT.one.from(accounts).where({ accountnumber, accountid: { '!=': accountid } })
      if (other) req.reject({ status: 412, code: '0x80040237', message: 'A record with matching key values already exists.' })
    })
    return super.init()
  }
}
