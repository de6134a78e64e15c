// npm `soap` with the WSDLs of the ready files: Workday and Oracle EBS as their documentation has them, behind
// WS-Security. Port: first argument; WSDLS is the folder.
const http = require('node:http')
const fs = require('node:fs')
const soap = require('soap')

const positions = new Set(), workers = new Set(), events = new Set(), suppliers = new Map(), sites = new Set()
let last = 100

const text = value => (value && typeof value === 'object' ? value.$value : value)
const all = value => [].concat(value ?? [])
const id = reference => text(all(reference?.ID)[0])
const event = () => {
  events.add('wid-' + ++last)
  return { ID: [{ attributes: { 'tns:type': 'WID' }, $value: 'wid-' + last }, { attributes: { 'tns:type': 'Event_ID' }, $value: 'E-' + last }] }
}
const invalid = message => {
  throw { Fault: { faultcode: 'SOAP-ENV:Client.validationError', faultstring: 'Validation error occurred. ' + message, statusCode: 500 } }
}
const ok = more => ({ X_RETURN_STATUS: 'S', X_MSG_COUNT: 0, ...more })
const refused = message => ({ X_RETURN_STATUS: 'E', X_MSG_COUNT: 1, X_MSG_DATA: message })

const services = {
  'workday-staffing': { Staffing: { Staffing: {
    Create_Position({ Business_Process_Parameters: process, Create_Position_Data: data }) {
      if (String(process?.Auto_Complete) !== 'true') invalid('The process would only have begun')
      if (positions.has(data.Position_Data.Position_ID)) invalid('Position_ID is in use')
      positions.add(data.Position_Data.Position_ID)
      return { Event_Reference: event(), Position_Reference: { ID: [{ attributes: { 'tns:type': 'Position_ID' }, $value: data.Position_Data.Position_ID }] } }
    },
    Close_Position({ Close_Position_Data: data }) {
      if (!positions.delete(id(data.Position_Reference))) invalid('Invalid ID value.')
      return { Event_Reference: event() }
    },
    Hire_Employee({ Hire_Employee_Data: data }) {
      if (!positions.has(id(data.Position_Reference))) invalid('Invalid ID value.')
      workers.add(data.Hire_Employee_Event_Data.Employee_ID)
      return { Event_Reference: event() }
    },
    Change_Job({ Change_Job_Data: data }) {
      if (!workers.has(id(data.Worker_Reference))) invalid('Invalid ID value.')
      return { Event_Reference: event() }
    },
    Get_Positions({ Request_References: asked }) {
      const found = all(asked.Positions_Reference).map(id).filter(one => positions.has(one))
      return { Response_Data: { Position: found.map(one => ({ Position_Reference: { ID: [{ attributes: { 'tns:type': 'Position_ID' }, $value: one }] } })) } }
    },
  } } },
  'workday-human-resources': { Human_Resources: { Human_Resources: {
    Get_Workers({ Request_References: asked }) {
      const found = all(asked.Worker_Reference).map(id).filter(one => workers.has(one))
      return { Response_Data: { Worker: found.map(one => ({ Worker_Reference: { ID: [{ attributes: { 'tns:type': 'Employee_ID' }, $value: one }] } })) } }
    },
  } } },
  'workday-integrations': { Integrations: { Integrations: {
    Rescind_Business_Process({ Rescind_Business_Process_Data: data }) {
      if (!events.delete(id(data.Event_Reference))) invalid('Invalid ID value.')
      return { Event_Reference: event() }
    },
  } } },
  'oracle-ebs-vendors': { AP_VENDOR_PUB_PKG: { AP_VENDOR_PUB_PKG: {
    CREATE_VENDOR({ P_COMMIT, P_VENDOR_REC: vendor }, _, headers) {
      if (headers?.SOAHeader?.RespApplication !== 'SQLAP') return refused('no responsibility')
      if (P_COMMIT !== 'T') return refused('nothing would stay')
      if (vendor.VENDOR_NAME === 'ODD') return { X_RETURN_STATUS: 'U', X_MSG_DATA: 'ORA-00600' }
      if (suppliers.has(vendor.VENDOR_NAME)) return refused('AP_VEN_DUPLICATE_NAME')
      suppliers.set(vendor.VENDOR_NAME, ++last)
      return ok({ X_VENDOR_ID: last, X_PARTY_ID: last + 1000 })
    },
    UPDATE_VENDOR: ({ P_VENDOR_ID, P_VENDOR_REC: vendor }) =>
      [...suppliers.values()].includes(Number(P_VENDOR_ID)) && vendor.END_DATE_ACTIVE ? ok() : refused('no such supplier'),
    CREATE_VENDOR_SITE({ P_VENDOR_SITE_REC: site }, _, headers) {
      if (headers?.SOAHeader?.Org_Id !== String(site.ORG_ID)) return refused('another operating unit')
      sites.add(++last)
      return ok({ X_VENDOR_SITE_ID: last })
    },
    UPDATE_VENDOR_SITE: ({ P_VENDOR_SITE_ID, P_VENDOR_SITE_REC: site }) =>
      sites.has(Number(P_VENDOR_SITE_ID)) && site.INACTIVE_DATE ? ok() : refused('no such site'),
  } } },
  'oracle-ebs-customers': { HZ_CUST_ACCOUNT_V2PUB: { HZ_CUST_ACCOUNT_V2PUB: {
    CREATE_CUST_ACCOUNT: ({ P_CUST_ACCOUNT_REC: account }) =>
      account.ORIG_SYSTEM_REFERENCE ? ({ X_CUST_ACCOUNT_ID: ++last, X_ACCOUNT_NUMBER: 'A' + last, ...ok() }) : refused('no reference'),
    UPDATE_CUST_ACCOUNT: ({ P_CUST_ACCOUNT_REC: account }) => (account.STATUS === 'I' ? ({ P_OBJECT_VERSION_NUMBER: 2, ...ok() }) : refused('?')),
  } } },
}
const paths = {
  'workday-staffing': '/Staffing/v43.0', 'workday-human-resources': '/Human_Resources/v43.0', 'workday-integrations': '/Integrations/v43.0',
  'oracle-ebs-vendors': '/webservices/SOAProvider/plsql/ap_vendor_pub_pkg/', 'oracle-ebs-customers': '/webservices/SOAProvider/plsql/hz_cust_account_v2pub/',
}

const server = http.createServer((_, res) => res.writeHead(404).end())
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  for (const [name, methods] of Object.entries(services)) {
    const xml = fs.readFileSync(`${process.env.WSDLS}/${name}.wsdl`, 'utf8')
    const made = soap.listen(server, { path: paths[name], services: methods, xml })
    made.authenticate = security => text(security?.UsernameToken?.Password) === 's3cret'
  }
})
