// Role isolation on a server, where each role logs in as itself.
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

test('the application’s login cannot switch to another role', async () => {
  const db = await testDb()
  for (const role of ['authsec_owner', 'authsec_jobs', 'postgres']) {
    const attempts = [
      sql`select set_config('role', ${role}, true)`,
      sql`set local role ${sql.identifier(role)}`,
      sql`set session authorization ${sql.identifier(role)}`,
    ]
    for (const attempt of attempts) expect([role, await stateOf(forTenant(db, acme).db.execute(attempt))]).toEqual([role, DENIED])
    const reset = atomically(forTenant(db, acme), async (t) => {
      await t.db.execute(sql`reset role`)
      return (await t.db.execute<{ name: string }>(sql`select current_user::text as name`))[0]?.name
    })
    expect(await reset).toBe('authsec_app')
  }
})
