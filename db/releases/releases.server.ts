// The release before runs on the schema of this one while a deployment is under way.
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { ownDatabase } from '#tests/support/database'
import { openDb } from '../engine/client.ts'
import { acrossTenants, asTenantId, atomically, directory, forTenant } from '../engine/tenant.ts'
import { insertAuditEvent } from '../store/audit-events.ts'
import { findDataKey } from '../store/data-keys.ts'
import { listSigningKeys } from '../store/signing-keys.ts'
import { findTenant, insertTenant } from '../store/tenants.ts'
import { columnsOf, findRefusals, newestRelease, type RecordedStatement, recordingEngine, type Snapshot } from './snapshot.ts'

const { db, url } = await ownDatabase()
const session = new pg.Client({ connectionString: url ?? '' })
await session.connect()
afterAll(async () => {
  await session.end()
  await db.engine.close()
})

/** What a small program said, recorded as it ran. */
const recorded = async (): Promise<Snapshot> => {
  const statements: RecordedStatement[] = []
  const heard = openDb(recordingEngine(db.engine, (statement) => void statements.push(statement)))
  const tenantId = asTenantId('0190c0de-0000-7000-8000-0000000000aa')
  const at = new Date('2026-03-01T12:00:00Z')
  await atomically(forTenant(heard, tenantId), async (t) => {
    await insertTenant(t, { name: 'Acme', email: null, domain: 'releases.test', at })
    await insertAuditEvent(t, {
      id: '0190c0de-0000-7000-8000-0000000000ab',
      at,
      event: 'tenant.created',
      outcome: 'success',
      actorType: 'system',
      subjectId: tenantId,
    })
  })
  await findTenant(forTenant(heard, tenantId))
  await findDataKey(forTenant(heard, tenantId), tenantId)
  await listSigningKeys(directory(heard))
  await acrossTenants(heard).run({
    text: `select id from authsec.sessions where expires_at < now() - interval '8 days' limit $1`,
    params: [1],
    arrays: false,
  })
  await forTenant(heard, tenantId).run({
    text: `insert into authsec.revoked_tokens select r.* from jsonb_populate_record(null::authsec.revoked_tokens, $1::jsonb) r`,
    params: [JSON.stringify({ tenant_id: tenantId, jti: tenantId, expires_at: at, revoked_at: at })],
    arrays: false,
  })
  return { version: 'recorded', statements, columns: await columnsOf(session), migrations: {} }
}
const before = await recorded()

/** In a transaction that is taken back, so that each change stands alone; the savepoint stands for the check's own. */
const brokenBy = async (change: string, release = before): Promise<readonly string[]> => {
  await session.query('begin')
  const inside = {
    query: (text: string) => session.query(text.replace(/^begin;/, 'savepoint checked;').replace(/^rollback$/, 'rollback to savepoint checked')),
  }
  try {
    await session.query(change)
    return await findRefusals(inside, release)
  } finally {
    await session.query('rollback')
  }
}

describe('what a release before can live with', () => {
  test('its own schema', async () => {
    expect(before.statements.length).toBeGreaterThan(6)
    expect(await findRefusals(session, before)).toEqual([])
  })

  test.each([
    ['a new table', 'create table authsec.more (tenant_id uuid primary key)'],
    ['a new column that may be null', 'alter table authsec.audit_events add column more text'],
    ['a new column with a default', "alter table authsec.audit_events add column more text not null default ''"],
    ['a new index', 'create index more on authsec.audit_events (tenant_id, reason)'],
    ['a wider type', 'alter table authsec.audit_events alter column count type bigint'],
  ])('%s', async (_, change) => {
    expect(await brokenBy(change)).toEqual([])
  })
})

describe('what has to wait for the release after the next', () => {
  test.each([
    ['a column that is gone', 'alter table authsec.audit_events drop column reason', /column "reason" of relation "audit_events" does not exist/],
    ['a column by another name', 'alter table authsec.data_keys rename column wrapped to sealed', /column "wrapped" does not exist/],
    ['a table by another name', 'alter table authsec.data_keys rename to keys', /relation "authsec.data_keys" does not exist/],
    [
      'a column that must have a value',
      "alter table authsec.audit_events add column more text not null default ''; alter table authsec.audit_events alter more drop default",
      /audit_events\.more must have a value/,
    ],
    [
      'a default that whole rows pass by',
      "alter table authsec.revoked_tokens add column more text not null default ''",
      /revoked_tokens\.more must not be null/,
    ],
    ['a permission that is taken', 'revoke insert on authsec.audit_events from authsec_app', /permission denied for table audit_events: authsec_app/],
    ['another type', 'alter table authsec.audit_events alter column reason type bytea using null', /audit_events\.reason was text and is bytea/],
  ])('%s', async (_, change, says) => {
    expect((await brokenBy(change)).join('\n')).toMatch(says)
  })
})

describe('the newest release that was recorded', () => {
  const release = newestRelease()
  /** What it says about these tables, so that trying a change takes no minute. */
  const about = (table: string): Snapshot => {
    if (release === undefined) throw new Error('no release is recorded: npm run release:record')
    return { ...release, statements: release.statements.filter(({ text }) => text.includes(`"${table}"`) || text.includes(`authsec.${table}`)) }
  }

  test('runs on this schema', async () => {
    expect(release?.statements.length).toBeGreaterThan(400)
    expect(await findRefusals(session, about(''))).toEqual([])
  })

  test('says something as every role, and about nearly every table', async () => {
    const roles = new Set(release?.statements.map(({ role }) => role))
    expect([...roles].toSorted()).toEqual(['authsec_app', 'authsec_jobs', 'authsec_owner'])
    const tables = Object.keys(release?.columns ?? {})
    expect(tables.filter((table) => about(table).statements.length === 0).length).toBeLessThan(tables.length / 20)
  })

  test('names its columns, with their defaults for later ones, also where it calls the table something else', async () => {
    const more = "alter table authsec.oauth_grants add column more text not null default ''"
    expect(await brokenBy(more, about('oauth_grants'))).toEqual([])
    expect((await brokenBy(`${more}; alter table authsec.oauth_grants alter more drop default`, about('oauth_grants'))).join('\n')).toMatch(
      /oauth_grants\.more must have a value/,
    )
  })

  test.each([
    ['a column that is read', 'users', 'alter table authsec.users drop column email cascade', /column .*"?email"? .*does not exist/],
    ['a column by another name', 'sessions', 'alter table authsec.sessions rename column revoked_at to ended_at', /revoked_at.* does not exist/],
    [
      'a column that must have a value',
      'clients',
      "alter table authsec.clients add column more text not null default ''; alter table authsec.clients alter more drop default",
      /clients\.more must (have a value|not be null)/,
    ],
    ['a table that is gone', 'tickets', 'drop table authsec.tickets cascade', /relation "authsec.tickets" does not exist/],
  ])('would not live with %s', async (_, table, change, says) => {
    expect(about(table).statements.length).toBeGreaterThan(2)
    expect((await brokenBy(change, about(table))).join('\n')).toMatch(says)
  })
})
