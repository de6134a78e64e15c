// npm `soap`: one service by SOAP 1.1 and by 1.2, and both again behind WS-Security. Port: first argument.
const http = require('node:http')
const fs = require('node:fs')
const crypto = require('node:crypto')
const soap = require('soap')

const vendors = new Map()
const notes = []
const nonces = new Set()

const text = value => (value && typeof value === 'object' ? value.$value : value)
// In the form of the version; the server sends a 1.1 fault with the status that it is given, by default 200.
const fault = (twelve, kind, message, extra = {}) => ({
  Fault: twelve
    ? {
        Code: { Value: 'soap:' + { Client: 'Sender', Server: 'Receiver' }[kind], ...(extra.code ? { Subcode: { Value: 'rpc:' + extra.code } } : {}) },
        Reason: { Text: message },
        statusCode: extra.status,
      }
    : { faultcode: 'soap:' + kind, faultstring: message, ...(extra.code ? { detail: { VendorFault: { errorCode: extra.code } } } : {}), statusCode: extra.status },
})

const methods = twelve => ({
  CreateVendor(args) {
    const taxId = text(args.taxId)
    if (text(args.name) === 'BREAK') throw fault(twelve, 'Server', 'something broke', { status: 500 })
    if (text(args.name) === 'REFUSE') throw fault(twelve, 'Client', 'no such name', { status: 500 })
    if (vendors.has(taxId)) throw fault(twelve, 'Server', 'there is one already', { code: 'DUPLICATE-7' })
    const sites = [].concat(args.site ?? []).map(site => text(site.city))
    vendors.set(taxId, { vendorId: 'V-' + (vendors.size + 1), name: text(args.name), limit: text(args.limit), cities: sites })
    return { vendorId: vendors.get(taxId).vendorId }
  },
  FindVendor(args) {
    const found = vendors.get(text(args.taxId))
    if (!found) throw fault(twelve, 'Client', 'there is none', { code: 'NO-SUCH-VENDOR', status: 500 })
    return found
  },
  Notify(args) {
    notes.push(text(args.text))
  },
})

function authenticate(security) {
  const token = security?.UsernameToken
  if (token?.Username !== 'saga' || !token.Nonce || nonces.has(token.Nonce.$value)) return false
  nonces.add(token.Nonce.$value)
  if (token.Password.attributes.Type.endsWith('#PasswordText')) return token.Password.$value === 'pässword<&>'
  const nonce = Buffer.from(token.Nonce.$value, 'base64')
  const digest = crypto.createHash('sha1').update(nonce).update(token.Created + 'pässword<&>').digest('base64')
  return token.Password.$value === digest
}

const server = http.createServer((_, res) => res.writeHead(404).end())
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  for (const name of ['v11', 'v12']) {
    const twelve = name === 'v12'
    const services = { Vendors: { VendorsPort: methods(twelve) } }
    const xml = fs.readFileSync(`${__dirname}/${name}.wsdl`, 'utf8')
    soap.listen(server, { path: `/${name}`, services, xml, forceSoap12Headers: twelve })
    const guarded = soap.listen(server, { path: `/guarded-${name}`, services, xml, forceSoap12Headers: twelve })
    guarded.authenticate = authenticate
  }
})
