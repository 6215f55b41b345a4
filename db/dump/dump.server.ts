// From the embedded engine to a server and back, on a separate database.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { type Db, openDb } from '../engine/client.ts'
import { openPglite, pgliteEngine } from '../engine/pglite.ts'
import { postgresEngine } from '../engine/postgres.ts'
import { asTenantId, SYSTEM_TENANT } from '../engine/tenant.ts'
import { migrate } from '../migrations/migrate.ts'
import { everyRow, fillEveryTable } from '../testing/fill.ts'
import { exportDump } from './export.ts'
import { importDump } from './import.ts'

const at = new Date('2026-11-24T12:00:00Z')
const privileged = process.env.TEST_DATABASE_URL ?? ''
const name = `authsec_dump_${process.pid}`
const opened: Db[] = []

const administer = async (text: string): Promise<void> => {
  const client = new pg.Client({ connectionString: privileged })
  await client.connect()
  await client.query(text)
  await client.end()
}
const keep = async (db: Db): Promise<Db> => {
  opened.push(db)
  await migrate(db, at)
  return db
}
const embedded = async (): Promise<Db> => keep(openDb(pgliteEngine(await openPglite())))
const onServer = async (): Promise<Db> => {
  await administer(`create database ${name}`)
  const url = new URL(privileged)
  url.pathname = `/${name}`
  return keep(openDb(postgresEngine({ url: url.href })))
}
afterAll(async () => {
  for (const db of opened) await db.engine.close()
  await administer(`drop database if exists ${name} with (force)`)
})

const copy = async (from: Db, to: Db): Promise<string> => {
  let text = ''
  const write = async (part: string): Promise<void> => {
    text += part
  }
  await exportDump(from, { masterKeyIds: ['k1'], hashKeyCheck: 'h', exportedAt: at, write })
  async function* lines() {
    yield* text.split('\n').slice(0, -1)
  }
  await importDump(to, { read: lines, masterKeyIds: ['k0', 'k1'], hashKeyCheck: 'h' })
  return text
}
const sorted = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"table":'))
    .sort()

test('a dump copied from embedded to server to embedded keeps every row', async () => {
  const parts = [SYSTEM_TENANT, asTenantId(randomUUID()), asTenantId(randomUUID()), ''] as const
  const [first, server, last] = [await embedded(), await onServer(), await embedded()]
  for (const part of parts) await fillEveryTable(first, part, [randomUUID(), randomUUID()])
  const there = await copy(first, server)
  const back = await copy(server, last)
  expect(sorted(back)).toEqual(sorted(there))
  for (const part of parts) {
    const expected = await everyRow(first, part)
    expect(Object.values(expected).flat().length).toBeGreaterThan(0)
    expect(await everyRow(server, part)).toEqual(expected)
    expect(await everyRow(last, part)).toEqual(expected)
  }
}, 120_000)
