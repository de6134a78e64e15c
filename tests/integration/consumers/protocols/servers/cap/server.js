// CAP checks no CSRF token by itself; SAP Gateway does. With CSRF=1 writes need token and session cookie, as there.
const cds = require('@sap/cds')
const { randomUUID } = require('node:crypto')
const { createRemoteJWKSet, jwtVerify } = require('jose')

// With OAUTH=<issuer> every request needs a token of that issuer, for the audience "erp".
cds.on('bootstrap', app => {
  if (!process.env.OAUTH) return
  const keys = createRemoteJWKSet(new URL(`${process.env.OAUTH}/jwks`))
  const seen = new Set()
  app.get('/tokens', (_, res) => res.json({ seen: seen.size }))
  app.use(async (req, res, next) => {
    const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1]
    try {
      await jwtVerify(token ?? '', keys, { issuer: process.env.OAUTH, audience: 'erp' })
    } catch (error) {
      return res.status(401).set('www-authenticate', 'Bearer').json({ error: { code: '401', message: error.code } })
    }
    seen.add(token)
    next()
  })
})

cds.on('bootstrap', app => {
  if (!process.env.CSRF) return
  const sessions = new Map()
  let fetched = 0
  app.get('/csrf/fetched', (_, res) => res.json({ fetched }))
  app.post('/csrf/forget', (_, res) => { sessions.clear(); res.json({}) })
  app.use((req, res, next) => {
    const session = /SAP_SESSIONID=([^;]+)/.exec(req.headers.cookie ?? '')?.[1]
    if (['GET', 'HEAD'].includes(req.method)) {
      if (req.headers['x-csrf-token']?.toLowerCase() === 'fetch') {
        fetched++
        const [id, token] = [randomUUID(), randomUUID()]
        sessions.set(id, token)
        res.set('x-csrf-token', token)
        res.cookie('SAP_SESSIONID', id, { httpOnly: true, path: '/' })
      }
      return next()
    }
    if (session && sessions.get(session) === req.headers['x-csrf-token']) return next()
    res.status(403).set('x-csrf-token', 'Required').type('text/plain').send('CSRF token validation failed')
  })
})

module.exports = cds.server
