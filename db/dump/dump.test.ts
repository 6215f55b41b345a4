import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Db, openDb } from '../engine/client.ts'
import { openPglite, pgliteEngine } from '../engine/pglite.ts'
import { asOwner, asTenantId, SYSTEM_TENANT, type TenantId } from '../engine/tenant.ts'
import { migrate } from '../migrations/migrate.ts'
import { everyRow, fillEveryTable } from '../testing/fill.ts'
import { dumpTables, NOT_DUMPED } from './catalogue.ts'
import { exportDump } from './export.ts'
import { readDumpFile, writeDumpFile } from './file.ts'
import { createDumpTally, DumpError, endLine } from './format.ts'
import { importDump } from './import.ts'

const at = new Date('2026-11-24T12:00:00Z')
const room = mkdtempSync(join(tmpdir(), 'authsec-dump-'))
const acme = asTenantId(randomUUID())
const globex = asTenantId(randomUUID())
const KEYS = ['k0', 'k1']
let source: Db
let target: Db

const emptyDatabase = async (): Promise<Db> => {
  const db = openDb(pgliteEngine(await openPglite()))
  await migrate(db, at)
  return db
}
beforeAll(async () => {
  source = await emptyDatabase()
  target = await emptyDatabase()
  for (const tenantId of [SYSTEM_TENANT, acme, globex, ''] as const) await fillEveryTable(source, tenantId, [randomUUID(), randomUUID()])
})
afterAll(async () => {
  rmSync(room, { recursive: true, force: true })
  await source.engine.close()
  await target.engine.close()
})

const dumped = async (tenantId?: TenantId): Promise<string> => {
  let text = ''
  const write = async (part: string): Promise<void> => {
    text += part
  }
  await exportDump(source, { ...(tenantId ? { tenantId } : {}), masterKeyIds: ['k1'], hashKeyCheck: 'h1', exportedAt: at, write })
  return text
}
async function* lines(text: string): AsyncGenerator<string> {
  yield* text.split('\n').slice(0, -1)
}
const into = (db: Db, text: string, change: object = {}) =>
  importDump(db, { read: () => lines(text), masterKeyIds: KEYS, hashKeyCheck: 'h1', ...change })
const reasonOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'taken',
    (error: unknown) => (error instanceof DumpError ? error.reason : `another error: ${String(error)}`),
  )
/** Changes lines and recomputes the last line, as an attacker who knows the format would. */
const resealed = (text: string, change: (line: string) => string | undefined): string => {
  const count = createDumpTally()
  const body = text
    .split('\n')
    .slice(0, -2)
    .flatMap((line) => change(line) ?? [])
  for (const line of body) {
    count.bytes(`${line}\n`)
    if (line.startsWith('{"section":')) count.section()
    const table = /^\{"table":"(\w+)"/.exec(line)?.[1]
    if (table !== undefined) count.row(table)
  }
  return `${body.join('\n')}\n${endLine(count.end())}`
}
const countOf = async (db: Db, tenantId: TenantId | ''): Promise<number> => Object.values(await everyRow(db, tenantId)).flat().length

test('every table of the schema is in the dump, with a row in this test, or on the exclusion list', async () => {
  const all = await asOwner(source, '', (t) =>
    t.db.execute<{ name: string }>(sql`select tablename::text as name from pg_tables where schemaname = 'authsec'`),
  )
  const inDump = await asOwner(source, '', (t) => dumpTables(t.run))
  expect(all.map(({ name }) => name).sort()).toEqual([...inDump.map(({ name }) => name), ...Object.keys(NOT_DUMPED)].sort())
  const rows = { ...(await everyRow(source, acme)), ...(await everyRow(source, '')) }
  expect(inDump.filter(({ name }) => (rows[name] ?? []).length === 0)).toEqual([])
})

test('a tenant dump has only that tenant’s rows, and none of the deployment', async () => {
  const text = await dumped(acme)
  expect(text).not.toContain(globex)
  expect(text).not.toContain('"table":"signing_keys"')
  const { tenants, header } = await into(target, text)
  expect(tenants).toEqual([acme])
  expect(header).toMatchObject({ scope: 'tenant', exported_at: '2026-11-24T12:00:00.000Z' })
  expect(await everyRow(target, acme)).toEqual(await everyRow(source, acme))
  expect(await countOf(target, globex)).toBe(0)
  expect(await countOf(target, '')).toBe(0)
})

test('an existing tenant is refused every time, and a full dump that contains it writes nothing', async () => {
  const before = await everyRow(target, acme)
  for (const text of [await dumped(acme), await dumped(acme), await dumped()]) expect(await reasonOf(into(target, text))).toBe('tenant_exists')
  expect(await everyRow(target, acme)).toEqual(before)
  expect(await countOf(target, globex)).toBe(0)
})

test('a conflict with another tenant (a taken domain) rolls back the whole tenant', async () => {
  const taken = (
    await asOwner(source, globex, (t) =>
      t.db.execute<{ domain: string }>(sql`select domain from authsec.domain_directory where tenant_id = ${globex}`),
    )
  )[0]
  await asOwner(target, acme, (t) =>
    t.db.execute(sql`update authsec.domain_directory set domain = ${taken?.domain} where ctid = (select min(ctid) from authsec.domain_directory)`),
  )
  const failure = into(target, await dumped(globex))
  await expect(failure).rejects.toThrow(/domain_directory_pkey/)
  expect(await reasonOf(failure)).toBe('conflict')
  expect(await countOf(target, globex)).toBe(0)
  await asOwner(target, acme, (t) => t.db.execute(sql`delete from authsec.domain_directory where domain = ${taken?.domain}`))
})

test('a damaged dump is refused before anything is written', async () => {
  const text = await dumped(globex)
  const all = text.split('\n')
  const damaged = {
    empty: '',
    'another format': '{"users":[]}\n',
    'truncated at the end': `${all.slice(0, -2).join('\n')}\n`,
    'truncated in a line': text.slice(0, text.length / 2),
    'a changed letter': text.replace('Zoë', 'Zoe'),
    'a missing row': all.filter((line) => !line.includes('"table":"user_groups"')).join('\n'),
    'a duplicate row': text.replace(/(\{"table":"roles"[^\n]*\n)/, '$1$1'),
    'a line after the end': `${text}{"section":""}\n`,
    'an unknown line': resealed(text, (line) => line.replace('"table":', '"view":')),
  }
  for (const [name, bad] of Object.entries(damaged)) expect([name, await reasonOf(into(target, bad))]).toEqual([name, 'damaged'])
  expect(await countOf(target, globex)).toBe(0)
})

test('a dump of a newer schema or format, with other columns or other keys, is refused with the cause', async () => {
  const text = await dumped(globex)
  const newer = resealed(text, (line) => line.replace(/"schema_version":\d+/, '"schema_version":9999'))
  expect(await reasonOf(into(target, newer))).toBe('newer_schema')
  expect(await reasonOf(into(target, text.replace('"format_version":1', '"format_version":2')))).toBe('newer_schema')
  expect(
    await reasonOf(
      into(
        target,
        resealed(text, (line) => line.replace('"name":"email_hash"', '"name":"email"')),
      ),
    ),
  ).toBe('other_columns')
  expect(
    await reasonOf(
      into(
        target,
        resealed(text, (line) => line.replace('"name":"users"', '"name":"people"')),
      ),
    ),
  ).toBe('other_columns')
  expect(await reasonOf(into(target, text, { hashKeyCheck: 'h2' }))).toBe('other_hash_key')
  await expect(into(target, await dumped(), { masterKeyIds: ['k2'] })).rejects.toThrow(/master keys that this deployment does not have: k0, k1\./)
  expect(await countOf(target, globex)).toBe(0)
})

test('a forged dump with a row of another tenant, also in a directory table, is refused', async () => {
  for (const table of ['users', 'client_directory']) {
    const forged = resealed(await dumped(globex), (line) => (line.startsWith(`{"table":"${table}"`) ? line.replace(globex, acme) : line))
    expect([table, await reasonOf(into(target, forged))]).toEqual([table, 'damaged'])
  }
  const signing = resealed(await dumped(globex), (line) => line.replace('"table":"roles"', '"table":"signing_keys"'))
  expect(await reasonOf(into(target, signing))).toBe('damaged')
  expect(await countOf(target, globex)).toBe(0)
})

test('a full dump in a compressed file restores every row, signing keys included; a dry run writes nothing', async () => {
  const empty = await emptyDatabase()
  const path = join(room, 'all.jsonl.gz')
  const options = { masterKeyIds: ['k1'], hashKeyCheck: 'h1', exportedAt: at }
  const { rows } = await writeDumpFile(path, (write) => exportDump(source, { ...options, write }))
  expect(statSync(path).mode & 0o077).toBe(0)
  expect(readFileSync(path).subarray(0, 2).toString('hex')).toBe('1f8b')
  const read = () => readDumpFile(path)
  const tried = await importDump(empty, { read, masterKeyIds: KEYS, hashKeyCheck: 'h1', dryRun: true })
  expect(tried.rows).toEqual(rows)
  for (const part of [SYSTEM_TENANT, acme, globex, ''] as const) expect(await countOf(empty, part)).toBe(0)
  await importDump(empty, { read, masterKeyIds: KEYS, hashKeyCheck: 'h1' })
  for (const part of [SYSTEM_TENANT, acme, globex, ''] as const) expect(await everyRow(empty, part)).toEqual(await everyRow(source, part))
  expect(await reasonOf(importDump(empty, { read, masterKeyIds: KEYS, hashKeyCheck: 'h1' }))).toBe('deployment_exists')
  await empty.engine.close()
  truncateSync(path, 1000)
  expect(await reasonOf(importDump(target, { read, masterKeyIds: KEYS, hashKeyCheck: 'h1' }))).toBe('damaged')
}, 60_000)

test('a dump file is never overwritten, and a failed export leaves no file', async () => {
  const path = join(room, 'once.jsonl')
  await expect(writeDumpFile(path, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  writeFileSync(path, 'mine')
  await expect(writeDumpFile(path, async () => undefined)).rejects.toThrow(/exists already/)
  expect(readFileSync(path, 'utf8')).toBe('mine')
})

test('an unknown tenant is not exported', async () => {
  expect(await reasonOf(dumped(asTenantId(randomUUID())))).toBe('tenant_unknown')
})
