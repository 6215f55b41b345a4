// Row level security, the second layer of tenant isolation, checked for every table in the catalogue, so that a new table cannot be forgotten.
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '#tests/support/database'
import { dumpTables } from '../dump/catalogue.ts'
import { DIRECTORY_TABLES } from '../migrations/policies.ts'
import { fillEveryTable } from '../testing/fill.ts'
import { type Db, sqlState } from './client.ts'
import { acrossTenants, asOwner, asTenantId, atomically, directory, forTenant } from './tenant.ts'

const acme = asTenantId(randomUUID())
const globex = asTenantId(randomUUID())
const ofAcme = [randomUUID(), randomUUID()] as const
const ofGlobex = [randomUUID(), randomUUID()] as const
let db: Db

const DENIED = '42501'
const stateOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => sqlState(error) ?? String(error),
  )
const isDirectory = (table: string): boolean => (DIRECTORY_TABLES as readonly string[]).includes(table)
/** Tables that belong to tenants, in the order in which they can be filled. */
const tenantTables = async (): Promise<readonly string[]> =>
  (await asOwner(db, '', (t) => dumpTables(t.run))).map(({ name }) => name).filter((name) => !isDirectory(name))

beforeAll(async () => {
  db = (await testDatabase()).db
  await fillEveryTable(db, acme, ofAcme)
  await fillEveryTable(db, globex, ofGlobex)
})
afterAll(async () => {
  const tables = (await asOwner(db, '', (t) => dumpTables(t.run))).filter(({ part }) => part === 'tenant').reverse()
  for (const tenantId of [acme, globex]) {
    await asOwner(db, tenantId, async (t) => {
      for (const { name } of tables) await t.db.execute(sql`delete from authsec.${sql.identifier(name)} where tenant_id = ${tenantId}`)
    })
  }
})

test('every table has forced row level security with the tenant policy, or is a directory table', async () => {
  const tables = await directory(db).db.execute<{ name: string; forced: boolean; policy: boolean }>(sql`
    select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,
      exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'own_tenant' and p.polcmd = '*' and p.polroles = '{0}') as policy
    from pg_class c where c.relnamespace = 'authsec'::regnamespace and c.relkind in ('r', 'p')`)
  expect(tables.length).toBeGreaterThan(20)
  expect(tables.filter(({ name, forced, policy }) => !(forced && policy) && !isDirectory(name))).toEqual([])
  expect(DIRECTORY_TABLES.filter((name) => !tables.some((table) => table.name === name))).toEqual([])
})

test('only the jobs role has policies that cross tenants', async () => {
  const others = await directory(db).db.execute(sql`
    select tablename, policyname, roles::text from pg_policies
    where schemaname = 'authsec' and policyname <> 'own_tenant' and roles <> array['authsec_jobs'::name]`)
  expect(others).toEqual([])
})

test('every primary key and unique index of a tenant table starts with the tenant', async () => {
  const found = await directory(db).db.execute<{ table: string; index: string; first: string }>(sql`
    select t.relname::text as "table", c.relname::text as index, a.attname::text as first
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
    where i.indisunique and t.relnamespace = 'authsec'::regnamespace`)
  expect(found.filter(({ table, first }) => first !== 'tenant_id' && !isDirectory(table))).toEqual([])
  expect((await tenantTables()).filter((name) => !found.some(({ table }) => table === name))).toEqual([])
})

test('every foreign key between tenant tables includes tenant_id on both sides', async () => {
  const found = await directory(db).db.execute<{ name: string; carries: boolean }>(sql`
    select c.conname::text as name, exists (
      select from unnest(c.conkey, c.confkey) as pair(mine, theirs)
      join pg_attribute m on m.attrelid = c.conrelid and m.attnum = pair.mine and m.attname = 'tenant_id'
      join pg_attribute t on t.attrelid = c.confrelid and t.attnum = pair.theirs and t.attname = 'tenant_id') as carries
    from pg_constraint c where c.contype = 'f' and c.connamespace = 'authsec'::regnamespace`)
  expect(found.length).toBeGreaterThan(10)
  expect(found.filter(({ carries }) => !carries)).toEqual([])
})

test('the roles of requests and jobs are not superusers, bypass no policy, own no table and are members of no role', async () => {
  const roles = await directory(db).db.execute(sql`
    select rolname::text as name, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as privileged,
      exists (select from pg_class c where c.relowner = r.oid) as owns,
      exists (select from pg_auth_members m where m.member = r.oid) as member
    from pg_roles r where rolname in ('authsec_app', 'authsec_jobs') order by 1`)
  expect(roles).toEqual(['authsec_app', 'authsec_jobs'].map((name) => ({ name, privileged: false, owns: false, member: false })))
  const [owner] = await directory(db).db.execute(sql`select rolsuper or rolbypassrls as privileged from pg_roles where rolname = 'authsec_owner'`)
  expect(owner).toEqual({ privileged: false })
})

test("a query without a condition returns only the tenant's own rows, in every table, and none with the directory's handle", async () => {
  for (const name of await tenantTables()) {
    const owners = sql`select distinct tenant_id::text as id from authsec.${sql.identifier(name)}`
    expect([name, await forTenant(db, acme).db.execute(owners)]).toEqual([name, [{ id: acme }]])
    expect([name, await forTenant(db, globex).db.execute(owners)]).toEqual([name, [{ id: globex }]])
    expect([name, await directory(db).db.execute(owners)]).toEqual([name, []])
  }
})

test('the tables’ owner is also limited to one tenant at a time', async () => {
  const count = sql`select count(*)::int as count from authsec.users`
  expect(await asOwner(db, acme, (t) => t.db.execute(count))).toEqual([{ count: 2 }])
  expect(await asOwner(db, '', (t) => t.db.execute(count))).toEqual([{ count: 0 }])
})

test('rows of another tenant can be neither inserted, moved, updated nor deleted, in any table', async () => {
  for (const name of await tenantTables()) {
    const table = sql`authsec.${sql.identifier(name)}`
    const appendOnly = name === 'audit_events' || name === 'revoked_tokens'
    const copied = atomically(forTenant(db, acme), (t) =>
      t.db.execute(sql`insert into ${table} select (jsonb_populate_record(r, jsonb_build_object('tenant_id', ${globex}::text))).* from ${table} r`),
    )
    expect([name, await stateOf(copied)]).toEqual([name, DENIED])
    const moved = atomically(forTenant(db, acme), (t) => t.db.execute(sql`update ${table} set tenant_id = ${globex}`))
    expect([name, await stateOf(moved)]).toEqual([name, DENIED])
    const removed = atomically(forTenant(db, acme), (t) => t.db.execute(sql`delete from ${table} where tenant_id = ${globex}`))
    expect([name, await stateOf(removed)]).toEqual([name, appendOnly ? DENIED : 'done'])
    const [left] = await forTenant(db, globex).db.execute<{ count: number }>(sql`select count(*)::int as count from ${table}`)
    expect([name, left?.count]).toEqual([name, ['tenants', 'tenant_branding'].includes(name) ? 1 : 2])
  }
})

test('a request can append to the audit log and read it, but not update, delete or truncate', async () => {
  const own = forTenant(db, acme)
  expect(await stateOf(own.db.execute(sql`update authsec.audit_events set event = 'nothing'`))).toBe(DENIED)
  expect(await stateOf(own.db.execute(sql`delete from authsec.audit_events`))).toBe(DENIED)
  expect(await stateOf(own.db.execute(sql`delete from authsec.revoked_tokens`))).toBe(DENIED)
  expect(await stateOf(own.db.execute(sql`delete from authsec.migration_log`))).toBe(DENIED)
  for (const name of await tenantTables()) {
    expect([name, await stateOf(own.db.execute(sql`truncate authsec.${sql.identifier(name)} cascade`))]).toEqual([name, DENIED])
  }
})

test('a role cannot be bound to a user, group or service account of another tenant, although row level security does not apply to foreign keys', async () => {
  for (const column of ['user_id', 'group_id', 'service_account_id']) {
    const bound = atomically(forTenant(db, acme), (t) =>
      t.db.execute(sql`insert into authsec.role_bindings (tenant_id, id, role_id, ${sql.identifier(column)}, created_at)
        values (${acme}, ${randomUUID()}, ${ofAcme[0]}, ${ofGlobex[0]}, now())`),
    )
    expect([column, await stateOf(bound)]).toEqual([column, '23503'])
  }
})

test('the jobs role only reaches due rows of the tables that jobs clean up', async () => {
  const jobs = acrossTenants(db)
  const reachable: string[] = []
  for (const name of await tenantTables()) {
    const table = sql`authsec.${sql.identifier(name)}`
    const state = await stateOf(jobs.db.execute(sql`select from ${table} limit 1`))
    if (state === 'done') reachable.push(name)
    else expect([name, state]).toEqual([name, DENIED])
    expect([name, await stateOf(jobs.db.execute(sql`insert into ${table} default values`))]).toEqual([name, DENIED])
  }
  expect(reachable).not.toContain('users')
  expect(reachable).not.toContain('audit_events')
  const [due, live] = [randomUUID(), randomUUID()]
  await atomically(forTenant(db, acme), async (t) => {
    for (const [jti, expires] of [
      [due, '1 second ago'],
      [live, 'tomorrow'],
    ] as const)
      await t.db.execute(sql`insert into authsec.revoked_tokens (tenant_id, jti, expires_at, revoked_at)
        values (${acme}, ${jti}, ${expires === 'tomorrow' ? sql`now() + interval '1 day'` : sql`now() - interval '1 second'`}, now())`)
  })
  const own = sql`select jti::text from authsec.revoked_tokens where tenant_id = ${acme} and jti in (${due}, ${live})`
  expect(await jobs.db.execute(own)).toEqual([{ jti: due }])
  await jobs.db.execute(sql`delete from authsec.revoked_tokens where tenant_id = ${acme} and jti in (${due}, ${live})`)
  expect(await forTenant(db, acme).db.execute(own)).toEqual([{ jti: live }])
})

test('a request cannot weaken its own restrictions', async () => {
  const attempts = [
    sql`alter table authsec.users disable row level security`,
    sql`alter table authsec.users no force row level security`,
    sql`create policy all_rows on authsec.users using (true)`,
    sql`drop policy own_tenant on authsec.users`,
    sql`alter table authsec.users owner to authsec_app`,
    sql`create table authsec.mine (id int)`,
  ]
  for (const attempt of attempts) expect(await stateOf(forTenant(db, acme).db.execute(attempt))).toBe(DENIED)
  const unbound = atomically(forTenant(db, acme), async (t) => {
    await t.db.execute(sql`set local row_security = off`)
    await t.db.execute(sql`select from authsec.users`)
  })
  expect(await stateOf(unbound)).toBe(DENIED)
})
