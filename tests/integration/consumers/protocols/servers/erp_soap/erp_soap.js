// npm `soap`: an ERP that does a creation once for each requestId, and says what was called. Port: first argument.
const http = require('node:http')
const fs = require('node:fs')
const soap = require('soap')

const vendors = new Map()
const byRequest = new Map()
const calls = []

const text = value => (value && typeof value === 'object' ? value.$value : value)
const fault = (kind, code, message) => ({
  Fault: { faultcode: 'soap:' + kind, faultstring: message, detail: { ErpFault: { errorCode: code } }, statusCode: 500 },
})

const methods = {
  CreateVendor(args, _, headers) {
    const { name, taxId, attributes } = args.vendor
    calls.push({ taxId, call: ['create', text(args.requestId), attributes?.kind, headers?.Session?.client].join(' ') })
    if (name === 'BREAK') throw fault('Server', 'ODD-1', 'something broke')
    if (name === 'LATER') throw fault('Server', 'TRANSIENT_ERROR', 'not now')
    if (name === 'EMPTY') return {}
    const known = byRequest.get(text(args.requestId))
    if (known) return known
    if (vendors.has(taxId)) throw fault('Server', 'DUPLICATE-TAX-ID', 'there is one already')
    const made = { vendorId: 'V-' + (byRequest.size + 1), createdAt: new Date().toISOString() }
    byRequest.set(text(args.requestId), made)
    vendors.set(taxId, made)
    return made
  },
  FindVendors({ taxId }) {
    calls.push({ taxId, call: 'find' })
    return { vendor: vendors.has(taxId) ? [vendors.get(taxId)] : [] }
  },
  Deactivate({ taxId }) {
    calls.push({ taxId, call: 'deactivate' })
    if (taxId === 'LOCKED') return { status: 'E', code: 'TRANSIENT-ERROR', text: 'somebody has it open' }
    if (taxId === 'BROKEN') return { status: 'U', text: 'nobody knows' }
    if (!vendors.delete(taxId)) return { status: 'E', code: 'NO-SUCH-VENDOR', text: 'there is none' }
    return { status: 'S' }
  },
  Calls({ taxId }) {
    return { call: calls.filter(one => one.taxId === taxId).map(one => one.call) }
  },
}

const server = http.createServer((_, res) => res.writeHead(404).end())
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  const xml = fs.readFileSync(`${__dirname}/erp.wsdl`, 'utf8')
  soap.listen(server, { path: '/erp', services: { Erp: { ErpPort: methods } }, xml })
})
