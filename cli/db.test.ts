import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { openFolder } from '#db/engine/folder'
import { asTenantId } from '#db/engine/tenant'
import { everyRow, fillEveryTable } from '#db/testing/fill'

const room = mkdtempSync(join(tmpdir(), 'authsec-db-'))
afterAll(() => rmSync(room, { recursive: true, force: true }))

const KEYS = { MASTER_KEYS: `k0:${Buffer.alloc(32, 1).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 2).toString('base64') }
const OTHER = { MASTER_KEYS: `k9:${Buffer.alloc(32, 3).toString('base64')}`, HASH_KEY: KEYS.HASH_KEY }
const script = fileURLToPath(new URL('./db.ts', import.meta.url))
const run = (dataDir: string, args: readonly string[], env: Readonly<Record<string, string>> = KEYS) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { env: { PATH: process.env.PATH, DATA_DIR: dataDir, ...env } })
    const reported = { out: '', err: '' }
    child.stdout.on('data', (text: Buffer) => {
      reported.out += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => {
      reported.err += text.toString()
    })
    child.once('close', (code) => resolve({ code, ...reported }))
  })
const inFolder = async <T>(dataDir: string, work: (db: ReturnType<typeof openDb>) => Promise<T>): Promise<T> => {
  const { engine, release } = await openFolder(join(dataDir, 'db'))
  try {
    return await work(openDb(engine))
  } finally {
    await release()
  }
}

test('a tenant is moved from one data folder to another by a dump file; every refusal exits with code 1 and one sentence', async () => {
  const [from, to] = [join(room, 'from'), join(room, 'to')]
  const file = join(room, 'acme.jsonl.gz')
  const acme = asTenantId(randomUUID())
  expect(await run(from, ['migrate'])).toMatchObject({ code: 0, out: expect.stringContaining('Applied: 1') })
  const rows = await inFolder(from, async (db) => {
    await fillEveryTable(db, acme, [randomUUID(), randomUUID()])
    expect(await run(from, ['export', '--to', file])).toMatchObject({ code: 1, err: expect.stringContaining(`in use by process ${process.pid}`) })
    return everyRow(db, acme)
  })
  expect(await run(from, ['export', '--to', file, '--tenant', acme.toUpperCase()])).toMatchObject({ code: 0, err: '' })
  expect(await run(to, ['import', '--from', file], OTHER)).toMatchObject({ code: 1, err: expect.stringContaining('does not have: k0.') })
  expect(await run(to, ['import', '--from', file, '--dry-run'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Would write \d+ rows of 1 tenants/),
  })
  expect(Object.values(await inFolder(to, (db) => everyRow(db, acme))).flat()).toEqual([])
  expect(await run(to, ['import', '--from', file])).toMatchObject({ code: 0, out: expect.stringMatching(/^Wrote \d+ rows of 1 tenants/) })
  expect(await inFolder(to, (db) => everyRow(db, acme))).toEqual(rows)
  expect(await run(to, ['import', '--from', file])).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`Tenant ${acme} already exists`) })
}, 180_000)

test('wrong arguments are reported and create nothing', async () => {
  const nowhere = join(room, 'nowhere')
  const file = join(room, 'nothing.jsonl')
  const wrong = [
    [],
    ['drop'],
    ['export'],
    ['import'],
    ['export', '--to', file, '--tenant', 'acme'],
    ['export', '--to', file, '--all'],
    ['export', '--to', file],
  ]
  const answers = await Promise.all(wrong.map((args) => run(nowhere, args)))
  for (const [n, answer] of answers.entries())
    expect([wrong[n], answer]).toEqual([wrong[n], { code: 1, out: '', err: expect.stringContaining('npm run db:export') }])
  expect(existsSync(nowhere)).toBe(false)
  expect(existsSync(file)).toBe(false)
}, 60_000)
