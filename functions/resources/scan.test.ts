// A scan asks a running MCP server for its tools.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { newResource } from '#tests/support/oauth'
import { resourceRoutes } from './routes.ts'

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** A server of the Streamable HTTP transport with sessions; every second answer is an event stream. */
const mcp = { tools: [] as unknown[], token: 'right', broken: false }
const seen: { session: string | undefined; authorization: string | undefined }[] = []
let server: Server
let origin: string
beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      const message = JSON.parse(text)
      const { authorization, 'mcp-session-id': session } = request.headers
      seen.push({ session: session as string | undefined, authorization })
      if (authorization !== `Bearer ${mcp.token}`) return response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('{}')
      if (mcp.broken) return response.writeHead(200, { 'content-type': 'application/json' }).end('not json')
      if (message.method === 'initialize') {
        const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'files', version: '1' } }
        const answer = JSON.stringify({ jsonrpc: '2.0', id: message.id, result })
        return response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's-1' }).end(answer)
      }
      if (session !== 's-1') return response.writeHead(400).end('{}')
      if (message.method === 'notifications/initialized') return response.writeHead(202).end()
      const first = message.params.cursor === undefined
      const result = { tools: mcp.tools.slice(first ? 0 : 1, first ? 1 : undefined), ...(first ? { nextCursor: 'next' } : {}) }
      return response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const start = async (env: Readonly<Record<string, string>> = { OUTBOUND_LOOPBACK: 'on' }) => {
  Object.assign(mcp, {
    tools: [
      { name: 'read', description: 'Reads.' },
      { name: 'burn', annotations: { destructiveHint: true } },
    ],
    broken: false,
  })
  const app = await startApp(resourceRoutes, { env })
  const company = await app.company()
  const token = await app.token(await app.person(company, ['admin:access', 'clients:read', 'clients:write']))
  const { id, authorization } = await newResource(app, company, [{ name: 'use' }], { origin, path: `/mcp-${app.ctx.random.id().slice(-8)}` })
  const rescan = async (mcp_token: string | undefined = 'right') => {
    const response = await app.request(`/authsec/resource-servers/${id}/rescan`, { token, body: mcp_token === undefined ? {} : { mcp_token } })
    return { status: response.status, body: await response.json() }
  }
  const events = async () => (await app.events(company.tenantId, { targetId: id })).map(({ event }) => event)
  const policy = async () => (await app.request(`/authsec/resource-servers/${id}/sdk-policy`, { headers: { authorization } })).json()
  return { app, company, rescan, events, policy }
}

test('the tools of a running server are listed and may not be called; the token is sent and not kept', async () => {
  const { app, company, rescan, events, policy } = await start()
  expect(await rescan()).toEqual({
    status: 200,
    body: { status: 'ok', last_scan_status: 'ok', result: { tools: 2, added: ['read', 'burn'], changed: [], removed: [] } },
  })
  expect(await policy()).toMatchObject({ state: 'needs_setup', policy_complete: false, tools: {} })
  expect((await rescan()).body.result).toEqual({ tools: 2, added: [], changed: [], removed: [] })
  expect(await events()).toEqual(['resource_server.tools_declared'])
  mcp.tools = [{ name: 'read', description: 'Reads and sends.' }]
  expect((await rescan()).body.result).toEqual({ tools: 1, added: [], changed: ['read'], removed: ['burn'] })
  expect(JSON.stringify(await app.events(company.tenantId))).not.toContain('right')
  expect(seen.some(({ session, authorization }) => session === 's-1' && authorization === 'Bearer right')).toBe(true)
})

test('a failed scan changes no tool and returns nothing that the server sent', async () => {
  const { rescan, events, policy } = await start()
  const failed = { status: 200, body: { status: 'failed', last_scan_status: 'failed', result: { tools: 0, added: [], changed: [], removed: [] } } }
  expect(await rescan('wrong')).toEqual(failed)
  mcp.broken = true
  expect(await rescan()).toEqual(failed)
  expect(await policy()).toMatchObject({ state: 'scan_failed', reason: 'rs_scan_failed' })
  expect(await events()).toEqual([])
  expect((await rescan('a b')).status).toBe(400)
})

test('a scan does not connect to a server in a private network', async () => {
  const { rescan } = await start({})
  const before = seen.length
  expect((await rescan()).body.status).toBe('failed')
  expect(seen.length).toBe(before)
})

test('tools that could not be stored are left out', async () => {
  const { rescan } = await start()
  const deep = JSON.parse(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`)
  mcp.tools = [
    { name: 'good' },
    { name: 'nul\0' },
    { name: '' },
    7,
    { name: 'x'.repeat(201) },
    { name: 'deep', inputSchema: deep },
    { name: 'half\ud800' },
  ]
  expect((await rescan()).body.result).toMatchObject({ tools: 1, added: ['good'] })
})
