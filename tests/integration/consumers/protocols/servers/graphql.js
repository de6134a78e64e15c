// Apollo Server with a schema of a few fields. Port: first argument.
const { ApolloServer } = require('@apollo/server')
const { startStandaloneServer } = require('@apollo/server/standalone')
const { GraphQLError } = require('graphql')

const vendors = []
const fail = (code, message) => { throw new GraphQLError(message, { extensions: { code } }) }

const typeDefs = `
  type Vendor { id: ID!, name: String!, taxId: String!, createdAt: String!, bankAccount: String!, rating: Int }
  type Query { vendor(taxId: String!): Vendor, count: Int!, guarded: Int! }
  type Mutation { createVendor(name: String!, taxId: String!, key: String): Vendor!, deleteVendor(taxId: String!): Boolean! }
`
const resolvers = {
  Vendor: {
    bankAccount: () => fail('FORBIDDEN', 'nobody may see that'),
    rating: () => fail('RATING_AWAY', 'not now'),
  },
  Query: {
    vendor: (_, { taxId }) => vendors.find(v => v.taxId === taxId) ?? null,
    count: () => vendors.length,
    guarded: () => fail('UNAUTHENTICATED', 'who are you?'),
  },
  Mutation: {
    createVendor: (_, { name, taxId, key }) => {
      const known = key && vendors.find(v => v.key === key)
      if (known) return known
      if (vendors.some(v => v.taxId === taxId)) fail('DUPLICATE_TAX_ID', 'there is one already')
      if (name === 'BREAK') throw new Error('something broke')
      const made = { id: String(vendors.length + 1), name, taxId, key, createdAt: new Date().toISOString() }
      vendors.push(made)
      return made
    },
    deleteVendor: (_, { taxId }) => {
      const at = vendors.findIndex(v => v.taxId === taxId)
      if (at < 0) fail('NOT_FOUND', 'there is none')
      vendors.splice(at, 1)
      return true
    },
  },
}

const server = new ApolloServer({ typeDefs, resolvers, includeStacktraceInErrorResponses: false })
startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(process.argv[2]) } })
