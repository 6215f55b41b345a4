// `npm run bench:start`: time from the start of the process to the first answer, and memory at rest, of the whole embedded system on existing data and on its first
// start, against a plain Hono server started the same way.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const folder = mkdtempSync(join(tmpdir(), 'authsec-bench-'))
const hello = join(process.cwd(), 'bench', '.hello.ts')
writeFileSync(
  hello,
  `import { serve } from '@hono/node-server'
import { Hono } from 'hono'
serve({ fetch: new Hono().get('/authsec/uflow/health', (c) => c.json({ ok: true })).fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' })
`,
)

type Started = { readonly ms: number; readonly mib: number }
let port = 7600
const once = async (script: string, env: Readonly<Record<string, string>>): Promise<Started> => {
  port++
  const begun = performance.now()
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port), ...env },
    stdio: 'ignore',
  })
  let ms = 0
  for (let attempt = 0; attempt < 3000 && ms === 0; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/authsec/uflow/health`).catch(() => undefined)
    if (answer?.status === 200) ms = performance.now() - begun
    else await wait(5)
  }
  await wait(3000)
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const mib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? '0') / 1024
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
  return { ms, mib }
}
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const rounds: { hello: Started; reopened: Started }[] = []
const first = await once('apps/local/local.ts', { DATA_DIR: folder })
for (let round = 0; round < 5; round++) {
  rounds.push({ hello: await once(hello, {}), reopened: await once('apps/local/local.ts', { DATA_DIR: folder }) })
}
const of = (which: 'hello' | 'reopened'): Started => ({ ms: median(rounds.map((r) => r[which].ms)), mib: median(rounds.map((r) => r[which].mib)) })
const [bare, ours] = [of('hello'), of('reopened')]
const line = (name: string, { ms, mib }: Started): void =>
  console.log(
    `  ${name.padEnd(40)}${ms.toFixed(0).padStart(7)} ms  x ${(ms / bare.ms).toFixed(2)}${mib.toFixed(0).padStart(7)} MiB  x ${(mib / bare.mib).toFixed(2)}`,
  )
console.log('\nStart to first answer, and memory three seconds later (medians of five)')
line('hello, Hono under tsx', bare)
line('ours, embedded, on its data', ours)
line('ours, embedded, first start (once)', first)
rmSync(folder, { recursive: true, force: true })
rmSync(hello)
