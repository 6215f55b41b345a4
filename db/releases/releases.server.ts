// The previous release must run on this release's schema, because both run during a deployment.
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

/** The recorded statements of a small program. */
const recorded = async (): Promise<Snapshot> => {
  const statements: RecordedStatement[] = []
  const recording = openDb(recordingEngine(db.engine, (statement) => void statements.push(statement)))
  const tenantId = asTenantId('0190c0de-0000-7000-8000-0000000000aa')
  const at = new Date('2026-03-01T12:00:00Z')
  await atomically(forTenant(recording, tenantId), async (t) => {
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
  await findTenant(forTenant(recording, tenantId))
  await findDataKey(forTenant(recording, tenantId), tenantId)
  await listSigningKeys(directory(recording))
  await acrossTenants(recording).run({
    text: `select id from authsec.sessions where expires_at < now() - interval '8 days' limit $1`,
    params: [1],
    arrays: false,
  })
  await forTenant(recording, tenantId).run({
    text: `insert into authsec.revoked_tokens select r.* from jsonb_populate_record(null::authsec.revoked_tokens, $1::jsonb) r`,
    params: [JSON.stringify({ tenant_id: tenantId, jti: tenantId, expires_at: at, revoked_at: at })],
    arrays: false,
  })
  return { version: 'recorded', statements, columns: await columnsOf(session), migrations: {} }
}
const before = await recorded()

/** Runs each change in a transaction that is rolled back; the savepoint replaces the check's own transaction. */
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

describe('changes that the previous release tolerates', () => {
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

describe('changes that break the previous release', () => {
  test.each([
    ['a dropped column', 'alter table authsec.audit_events drop column reason', /column "reason" of relation "audit_events" does not exist/],
    ['a renamed column', 'alter table authsec.data_keys rename column wrapped to sealed', /column "wrapped" does not exist/],
    ['a renamed table', 'alter table authsec.data_keys rename to keys', /relation "authsec.data_keys" does not exist/],
    [
      'a column that must have a value',
      "alter table authsec.audit_events add column more text not null default ''; alter table authsec.audit_events alter more drop default",
      /audit_events\.more must have a value/,
    ],
    [
      'a required column that whole-row inserts leave null',
      "alter table authsec.revoked_tokens add column more text not null default ''",
      /revoked_tokens\.more must not be null/,
    ],
    ['a revoked privilege', 'revoke insert on authsec.audit_events from authsec_app', /permission denied for table audit_events: authsec_app/],
    ['another type', 'alter table authsec.audit_events alter column reason type bytea using null', /audit_events\.reason was text and is bytea/],
  ])('%s', async (_, change, says) => {
    expect((await brokenBy(change)).join('\n')).toMatch(says)
  })
})

describe('the newest recorded release', () => {
  const release = newestRelease()
  /** Its statements about one table, so that trying a change is fast. */
  const about = (table: string): Snapshot => {
    if (release === undefined) throw new Error('no release is recorded: npm run release:record')
    return { ...release, statements: release.statements.filter(({ text }) => text.includes(`"${table}"`) || text.includes(`authsec.${table}`)) }
  }

  test('runs on this schema', async () => {
    expect(release?.statements.length).toBeGreaterThan(400)
    expect(await findRefusals(session, about(''))).toEqual([])
  })

  test('has statements of every role and about nearly every table', async () => {
    const roles = new Set(release?.statements.map(({ role }) => role))
    expect([...roles].toSorted()).toEqual(['authsec_app', 'authsec_jobs', 'authsec_owner'])
    const tables = Object.keys(release?.columns ?? {})
    expect(tables.filter((table) => about(table).statements.length === 0).length).toBeLessThan(tables.length / 20)
  })

  test('lists its columns in inserts, so that later columns get their defaults, also with a table alias', async () => {
    const more = "alter table authsec.oauth_grants add column more text not null default ''"
    expect(await brokenBy(more, about('oauth_grants'))).toEqual([])
    expect((await brokenBy(`${more}; alter table authsec.oauth_grants alter more drop default`, about('oauth_grants'))).join('\n')).toMatch(
      /oauth_grants\.more must have a value/,
    )
  })

  test.each([
    ['a column that is read', 'users', 'alter table authsec.users drop column email cascade', /column .*"?email"? .*does not exist/],
    ['a renamed column', 'sessions', 'alter table authsec.sessions rename column revoked_at to ended_at', /revoked_at.* does not exist/],
    [
      'a column that must have a value',
      'clients',
      "alter table authsec.clients add column more text not null default ''; alter table authsec.clients alter more drop default",
      /clients\.more must (have a value|not be null)/,
    ],
    ['a dropped table', 'tickets', 'drop table authsec.tickets cascade', /relation "authsec.tickets" does not exist/],
  ])('would break with %s', async (_, table, change, says) => {
    expect(about(table).statements.length).toBeGreaterThan(2)
    expect((await brokenBy(change, about(table))).join('\n')).toMatch(says)
  })
})
