// The functions that ours are compared with, bundled the same way: a hello-world Hono function, the same with one select, oidc-provider
// and better-auth with in-memory storage, each answering one event.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const PEERS: Readonly<Record<string, string>> = {
  'hello, Hono': `import { Hono } from 'hono'
import { handle } from 'hono/aws-lambda'
export const handler = handle(new Hono().get('/hello', (c) => c.json({ hello: 'world' })))`,
  'hello, Hono and pg': `import { Hono } from 'hono'
import { handle } from 'hono/aws-lambda'
import pg from 'pg'
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 })
export const handler = handle(new Hono().get('/hello', async (c) => c.json((await pool.query("select 'world' as hello")).rows[0])))`,
  'oidc-provider': `import { createServer } from 'node:http'
import Provider from 'oidc-provider'
const provider = new Provider('https://auth.example.com', { clients: [{ client_id: 'c', client_secret: 's', redirect_uris: ['https://app.example.com/cb'] }] })
provider.proxy = true
const server = createServer(provider.callback())
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
export const handler = async (event) => {
  const response = await fetch('http://127.0.0.1:' + server.address().port + event.rawPath)
  return { statusCode: response.status, body: await response.text() }
}`,
  'better-auth': `import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { handle } from 'hono/aws-lambda'
const auth = betterAuth({ baseURL: 'https://auth.example.com', secret: 's'.repeat(48), emailAndPassword: { enabled: true },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }) })
export const handler = handle({ fetch: (request) => auth.handler(request) })`,
}
export const PEER_NAMES: readonly string[] = Object.keys(PEERS)
export const PATH_OF: Readonly<Record<string, string>> = {
  'hello, Hono': '/hello',
  'hello, Hono and pg': '/hello',
  'oidc-provider': '/.well-known/openid-configuration',
  'better-auth': '/api/auth/ok',
}

export const sizeOf = (folder: string): number =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.mjs'))
    .reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0)

/** Returns the path of the file with the handler. */
export const buildPeer = async (name: string, folder: string): Promise<string> => {
  const own = join(folder, name.replace(/\W+/g, '-'))
  mkdirSync(own, { recursive: true })
  const source = join(own, 'source.ts')
  writeFileSync(source, PEERS[name] ?? '')
  await build({
    entryPoints: { peer: source },
    outdir: own,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    external: ['pg-native'],
    logLevel: 'error',
    banner: { js: `import{createRequire as peerRequire}from'node:module';const require=peerRequire(import.meta.url);` },
  })
  return join(own, 'peer.mjs')
}
