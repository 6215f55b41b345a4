// kill -9 in the middle of writes: every write that was answered with 2xx is still there, and the next start needs no manual repair.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { readNote } from '../apps/local/first-start.ts'

const folder = mkdtempSync(join(tmpdir(), 'authsec-kill-'))
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

const startServer = async (port: number): Promise<ChildProcess> => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: folder, PORT: String(port), RATE_LIMIT: 'off' }
  const child = spawn(process.execPath, ['--import', 'tsx', 'apps/local/local.ts'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  child.stdout?.resume()
  for (let attempt = 0; attempt < 900; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/authsec/uflow/health`).catch(() => undefined)
    if (answer?.status === 200) return child
    await wait(100)
  }
  throw new Error('the server did not start')
}

const ended = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.once('exit', () => resolve()))

test('every write that was answered with 2xx before a kill is there after it', async () => {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const first = await startServer(port)
  const [, email, password] = /Administrator\s+(\S+)\s+(\S+)/.exec(readNote(folder) ?? '') ?? []
  const login = JSON.stringify({ email, password })
  const tokens: string[] = []
  const signIn = async (): Promise<void> => {
    for (;;) {
      const request = fetch(`${base}/authsec/uflow/auth/admin/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: login,
      })
      const body = await request.then((answer) => (answer.ok ? (answer.json() as Promise<{ token: string }>) : undefined)).catch(() => undefined)
      if (body === undefined) return
      tokens.push(body.token)
      if (tokens.length === 40) first.kill('SIGKILL')
    }
  }
  await Promise.all([ended(first), ...Array.from({ length: 6 }, signIn)])
  expect(tokens.length).toBeGreaterThanOrEqual(40)

  await startServer(port)
  for (const token of tokens) {
    const answer = await fetch(`${base}/account/sessions`, { headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(200)
  }
}, 120_000)
