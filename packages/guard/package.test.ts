// The published package: the built modules in plain Node, and their types in a strict program.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildGuard } from './build.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '../..')
const NEEDED = ['jose', 'hono', 'typescript', '@typescript', '@modelcontextprotocol', 'zod', 'ajv', 'ajv-formats', 'zod-to-json-schema']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guard-'))
  const installed = join(folder, 'node_modules/authsec-serverless')
  await mkdir(join(installed, 'dist'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'))
  await buildGuard(join(installed, 'dist/guard'))
  for (const name of NEEDED) await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name)).catch(() => undefined)
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

const SERVER = `
import { guard } from 'authsec-serverless/guard'
import { guarded } from 'authsec-serverless/guard/hono'
import { Hono } from 'hono'

const own = guard({ issuer: 'https://id.example.com', resource: 'https://mcp.example.com/mcp', fetch: async () => { throw new Error('offline') } })
const app = new Hono().use('/mcp', guarded(own, { scopes: ['a'] }))
app.get('/mcp', (c) => c.text(c.get('token').subject))
const [none, bad] = [await app.request('https://mcp.example.com/mcp'), await app.request('https://mcp.example.com/mcp', { headers: { authorization: 'Bearer x.y.z' } })]
const document = own.metadata(new Request('https://mcp.example.com/.well-known/oauth-protected-resource/mcp'))
const { resource } = await document.json()
process.stdout.write(JSON.stringify([none.status, bad.status, resource]))
`

test('runs in plain Node', async () => {
  await writeFile(join(folder, 'server.mjs'), SERVER)
  const { stdout } = await run(process.execPath, [join(folder, 'server.mjs')], { cwd: folder })
  expect(JSON.parse(stdout)).toEqual([401, 401, 'https://mcp.example.com/mcp'])
})

test('the program in its README type-checks, and is the tested example', async () => {
  const readme = await readFile(join(ROOT, 'packages/guard/README.md'), 'utf8')
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  expect(program.replace("'authsec-serverless/guard'", "'./guard.ts'")).toBe(await readFile(join(ROOT, 'packages/guard/example.ts'), 'utf8'))
  await writeFile(join(folder, 'server.ts'), program)
  const options = [
    '--strict',
    '--noEmit',
    '--skipLibCheck',
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
    '--target',
    'es2022',
    '--types',
    '',
  ]
  await run(join(ROOT, 'node_modules/typescript-native/bin/tsc'), [...options, join(folder, 'server.ts')], { cwd: folder })
})
