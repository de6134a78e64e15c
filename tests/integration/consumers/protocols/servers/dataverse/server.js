// What Dataverse does and CAP does not: a write answers 204 and OData-EntityId, a 404 of a row has a code, and what is
// bound has to be there. CAP judges everything else of a request.
const cds = require('@sap/cds')

cds.on('bootstrap', app => {
  app.use((req, res, next) => {
    if (req.headers['odata-version'] !== '4.0') return res.status(400).json({ error: { code: '0x0', message: 'no OData-Version' } })
    const end = res.end.bind(res)
    res.end = (body, ...rest) => {
      if (['PATCH', 'POST'].includes(req.method) && res.statusCode < 300) {
        res.statusCode = 204
        res.set('OData-EntityId', `https://org.example${req.originalUrl}`)
        for (const name of ['content-type', 'content-length', 'location']) res.removeHeader(name)
        return end()
      }
      if (res.statusCode === 404 && /\(/.test(req.url)) {
        const error = JSON.stringify({ error: { code: '0x80040217', message: 'Does Not Exist' } })
        res.set({ 'content-type': 'application/json', 'content-length': Buffer.byteLength(error) })
        return end(error)
      }
      return end(body, ...rest)
    }
    next()
  })
})

module.exports = cds.server
