// What only a server can show, where each role logs in as itself.
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { testDb } from '#tests/support/database'
import { sqlState } from './client.ts'
import { asTenantId, atomically, forTenant } from './tenant.ts'

const acme = asTenantId(randomUUID())
/** insufficient_privilege */
const DENIED = '42501'
const stateOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => sqlState(error) ?? String(error),
  )

test('logged in as the application, no other role can be taken on', async () => {
  const db = await testDb()
  for (const role of ['authsec_owner', 'authsec_jobs', 'postgres']) {
    const tricks = [
      sql`select set_config('role', ${role}, true)`,
      sql`set local role ${sql.identifier(role)}`,
      sql`set session authorization ${sql.identifier(role)}`,
    ]
    for (const trick of tricks) expect([role, await stateOf(forTenant(db, acme).db.execute(trick))]).toEqual([role, DENIED])
    const reset = atomically(forTenant(db, acme), async (t) => {
      await t.db.execute(sql`reset role`)
      return (await t.db.execute<{ name: string }>(sql`select current_user::text as name`))[0]?.name
    })
    expect(await reset).toBe('authsec_app')
  }
})
