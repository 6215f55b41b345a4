// An MCP server whose tool needs the scope `clock:read`. `RESOURCE` is its address and its identifier at the authorization server `ISSUER`.
import { serve } from '@hono/node-server'
import { mcpServer } from '../packages/guard/example.ts'

const { ISSUER = 'http://localhost:7468', RESOURCE = 'http://localhost:8080/mcp' } = process.env
const port = Number(new URL(RESOURCE).port)
const handle = mcpServer({ issuer: ISSUER, resource: RESOURCE, scopes: ['clock:read'] })

serve({ fetch: handle, port, hostname: 'localhost' }, () => console.log(`MCP server at ${RESOURCE}, tokens from ${ISSUER}`))
