// All data of a person is deleted with the person; compared with the catalogue, so that a new table cannot be forgotten.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dumpTables, qualifiedTableName } from '../dump/catalogue.ts'
import { type Db, openDb } from '../engine/client.ts'
import { openPglite, pgliteEngine } from '../engine/pglite.ts'
import { asOwner, asTenantId, atomically, forTenant } from '../engine/tenant.ts'
import { migrate } from '../migrations/migrate.ts'
import { fillEveryTable } from '../testing/fill.ts'
import { deleteUser } from './people.ts'
import { countPersonRows, deleteWaitingMessagesOf, PERSON_TABLES } from './person-data.ts'
import { deleteAdministrator } from './users.ts'

const tenantId = asTenantId(randomUUID())
const [ana, pat] = [randomUUID(), randomUUID()]
let db: Db

beforeAll(async () => {
  db = openDb(pgliteEngine(await openPglite()))
  await migrate(db, new Date('2026-11-24T12:00:00Z'))
  await fillEveryTable(db, tenantId, [ana, pat])
})
afterAll(() => db.engine.close())

/** The number of rows that name the person, by `table.column`. */
const naming = (person: string): Promise<Readonly<Record<string, number>>> =>
  asOwner(db, tenantId, async ({ run }) => {
    const found: Record<string, number> = {}
    for (const table of await dumpTables(run)) {
      for (const { name } of table.columns.filter((column) => ['user_id', 'requested_for'].includes(column.name))) {
        const text = `select count(*)::int from ${qualifiedTableName(table)} where tenant_id = $1 and ${name} = $2`
        const [[count] = []] = (await run({ text, params: [tenantId, person], arrays: true })) as number[][]
        if (count !== undefined && count > 0) found[`${table.name}.${name}`] = count
      }
    }
    return found
  })

/** Tables that the report of a deletion omits, and why. */
const NOT_COUNTED: Readonly<Record<string, string>> = {
  administrator_directory: 'the directory row for an administrator’s sign-in',
  totp_secrets: 'part of a factor',
  sms_phones: 'part of a factor',
  webauthn_credentials: 'part of a factor',
  backup_code_tries: 'the counter of the codes',
  federation_states: 'a sign-in that was under way',
  oauth_authorizations: 'part of a grant',
  oauth_requests: 'an unanswered request',
  oauth_delegations: 'part of a grant',
  mcp_sessions: 'a session, by its parent session',
  resource_first_access: 'that a role was given once',
}
/** Belongs to the company: the person created it, and the id alone identifies no one. */
const OF_THE_COMPANY = ['projects']

test('the report of a deletion covers every table that refers to people', async () => {
  const tables = [...new Set(Object.keys(await naming(ana)).map((column) => column.split('.')[0]))]
  expect(tables.toSorted()).toEqual([...PERSON_TABLES, ...Object.keys(NOT_COUNTED), ...OF_THE_COMPANY].toSorted())
  expect(Object.values(await countPersonRows(forTenant(db, tenantId), ana)).every((count) => count > 0)).toBe(true)
})

test('an erased person is named in no row', async () => {
  await atomically(forTenant(db, tenantId), async (t) => {
    await deleteAdministrator(t, ana)
    expect(await deleteUser(t, ana)).toBe(true)
    await deleteWaitingMessagesOf(t, ana, 'ana@acme.example', new Uint8Array(32))
  })
  expect(Object.keys(await naming(ana))).toEqual(OF_THE_COMPANY.map((table) => `${table}.user_id`))
})
