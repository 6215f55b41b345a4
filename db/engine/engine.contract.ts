// The contract of every engine. Each engine's test runs it on its own migrated database.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DatabaseScope, type Engine, openDb, type RunStatement, type Statement, sqlState } from './client.ts'
import { asTenantId, atomically, forTenant, inOtherTenant } from './tenant.ts'

const tenantId = asTenantId(randomUUID())
const app: DatabaseScope = { role: 'authsec_app', tenantId }
const query = (text: string, ...params: readonly unknown[]): Statement => ({ text, params, arrays: false })
const stateOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => sqlState(error) ?? String(error),
  )

/** Values that a driver may alter, with the expected result. */
const VALUES: readonly { readonly type: string; readonly given: unknown; readonly expected?: unknown }[] = [
  { type: 'int', given: -2147483648 },
  { type: 'bigint', given: 9007199254740991 },
  { type: 'double precision', given: 0.1 },
  { type: 'boolean', given: false },
  { type: 'uuid', given: '0190b0a0-0000-7000-8000-00000000000f' },
  { type: 'text', given: 'Zoë 🦉 \u{1F469}\u200D\u{1F692} \'"\\ \u2028\r\n\t' },
  { type: 'text', given: '' },
  { type: 'text', given: null },
  { type: 'bytea', given: Uint8Array.of(0, 255, 92, 39, 10), expected: '00ff5c270a' },
  { type: 'jsonb', given: JSON.stringify({ a: [1, { b: null }], ü: '"' }), expected: { a: [1, { b: null }], ü: '"' } },
  { type: 'text[]', given: ['a,b', 'NULL', '', '"q"', 'ü\\'] },
  { type: 'text[]', given: [] },
]
/** Bytes are compared by content, whatever class the driver uses. */
const comparable = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)

export type OpenedEngine = { readonly engine: Engine; readonly close: () => Promise<void> }

export const engineContract = (name: string, open: () => Promise<OpenedEngine>): void => {
  describe(name, () => {
    let engine: Engine
    let close: () => Promise<void>
    beforeAll(async () => {
      ;({ engine, close } = await open())
      await engine.script(
        'authsec_owner',
        'create table authsec.contract (id int primary key, n int not null); grant all on authsec.contract to authsec_app',
      )
    })
    afterAll(async () => {
      await engine.script('authsec_owner', 'drop table authsec.contract')
      await close()
    })
    const put = (run: RunStatement, id: number, n = 0) => run(query('insert into authsec.contract (id, n) values ($1, $2)', id, n))
    const count = async (id: number): Promise<unknown> => {
      const [row] = await engine.one(app, query('select count(*)::int as count from authsec.contract where id = $1', id))
      return (row as { count: number }).count
    }

    test.each(VALUES)('returns values unchanged: $type $given', async ({ type, given, expected }) => {
      const [row] = await engine.one(app, query(`select $1::${type} as value`, given))
      expect(comparable((row as { value: unknown }).value)).toEqual(expected ?? given)
    })

    test('timestamps are returned as text with their zone, to the microsecond', async () => {
      const [row] = await engine.one(app, query(`select $1::timestamptz as at`, '2026-11-24T23:59:59.123456+05:30'))
      const { at } = row as { at: string }
      expect(at).toMatch(/\.123456[+-]\d\d/)
      expect(new Date(at).toISOString()).toBe('2026-11-24T18:29:59.123Z')
    })

    test('rows as arrays keep columns with the same name', async () => {
      expect(await engine.one(app, { text: 'select 1 as a, 2 as a', params: [], arrays: true })).toEqual([[1, 2]])
    })

    test('a statement runs with the role and the tenant of its scope, and neither outlives it', async () => {
      const currentScope = query(`select current_user::text as role, current_setting('app.tenant_id', true) as tenant`)
      const jobs: DatabaseScope = { role: 'authsec_jobs', tenantId: '' }
      const asJobs = { role: 'authsec_jobs', tenant: '' }
      expect(await engine.one(app, currentScope)).toEqual([{ role: 'authsec_app', tenant: tenantId }])
      expect(await engine.one(jobs, currentScope)).toEqual([asJobs])
      expect(await engine.transaction(app, (run) => run(currentScope))).toEqual([{ role: 'authsec_app', tenant: tenantId }])
      await expect(engine.one(app, query('select 1 / 0'))).rejects.toThrow()
      expect(await engine.transaction(jobs, (run) => run(currentScope))).toEqual([asJobs])
    })

    test('a transaction commits when it returns and rolls back when it throws', async () => {
      await engine.transaction(app, (run) => put(run, 1))
      expect(await count(1)).toBe(1)
      const failed = engine.transaction(app, async (run) => {
        await put(run, 2)
        throw new Error('changed my mind')
      })
      await expect(failed).rejects.toThrow('changed my mind')
      expect(await count(2)).toBe(0)
    })

    test('a transaction with a swallowed failed statement is an error, not a commit', async () => {
      const swallowed = engine.transaction(app, async (run) => {
        await put(run, 3)
        await run(query('select 1 / 0')).catch(() => undefined)
      })
      await expect(swallowed).rejects.toThrow()
      expect(await count(3)).toBe(0)
    })

    test('errors have their SQLSTATE, alone and inside a transaction, and the engine keeps working', async () => {
      await engine.transaction(app, (run) => put(run, 4))
      expect(await stateOf(engine.one(app, query('insert into authsec.contract (id, n) values (4, 0)')))).toBe('23505')
      expect(await stateOf(engine.transaction(app, (run) => put(run, 4)))).toBe('23505')
      expect(await stateOf(engine.one(app, query('selekt')))).toBe('42601')
      expect(await stateOf(engine.one(app, query('select from authsec.nowhere')))).toBe('42P01')
      expect(await stateOf(engine.one(app, query('drop table authsec.contract')))).toBe('42501')
      expect(await stateOf(engine.one(app, query('select $1::uuid', 'no uuid')))).toBe('22P02')
      expect(await stateOf(engine.one(app, query('select $1::text', 'a\0b')))).toMatch(/^(22021|done)$/)
      expect(await count(4)).toBe(1)
    })

    test('an outer handle fails inside a transaction, and the transaction rolls back', async () => {
      const own = forTenant(openDb(engine), tenantId)
      const mixed = atomically(own, async (t) => {
        await put(t.run, 5)
        await own.run(query('select 1'))
      })
      await expect(mixed).rejects.toThrow(/from outside was used inside a transaction/)
      const nested = atomically(own, async () => atomically(forTenant(openDb(engine), tenantId), async () => undefined))
      await expect(nested).rejects.toThrow(/from outside was used inside a transaction/)
      expect(await count(5)).toBe(0)
    })

    test('a handle is unusable after its transaction: after a commit, after a failure, and during another transaction', async () => {
      const kept: RunStatement[] = []
      const keep = (fails: boolean) =>
        engine.transaction(app, async (run) => {
          kept.push(run)
          await put(run, fails ? 10 : 9)
          if (fails) throw new Error('changed my mind')
        })
      await keep(false)
      await expect(keep(true)).rejects.toThrow('changed my mind')
      const currentScope = query('select current_user::text')
      for (const run of kept) await expect(run(currentScope)).rejects.toThrow()
      const inside = await engine.transaction({ role: 'authsec_jobs', tenantId: '' }, async (run) => {
        await run(currentScope)
        return Promise.allSettled(kept.map((late) => late(currentScope)))
      })
      expect(inside.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    })

    test('the transaction returns to its own tenant when work in another tenant fails', async () => {
      const other = asTenantId(randomUUID())
      const own = forTenant(openDb(engine), tenantId)
      const currentScope = query(`select current_setting('app.tenant_id') as tenant`)
      const seen: unknown[] = []
      await atomically(own, async (t) => {
        const failing = inOtherTenant(t, other, async (there) => {
          seen.push(...(await there.run(currentScope)))
          throw new Error('changed my mind')
        })
        await expect(failing).rejects.toThrow('changed my mind')
        seen.push(...(await t.run(currentScope)))
      })
      expect(seen).toEqual([{ tenant: other }, { tenant: tenantId }])
      const broken = atomically(own, (t) => inOtherTenant(t, other, (there) => there.run(query('select 1 / 0'))))
      expect(await stateOf(broken)).toBe('22012')
    })

    test('twenty concurrent transactions lose no change, and concurrent statements are answered', async () => {
      await engine.transaction(app, (run) => put(run, 6))
      const raise = (fails: boolean) =>
        engine.transaction(app, async (run) => {
          const [row] = await run(query('select n from authsec.contract where id = 6 for update'))
          await run(query('update authsec.contract set n = $1 where id = 6', (row as { n: number }).n + 1))
          if (fails) throw new Error('every second one fails')
        })
      const all = await Promise.allSettled([
        ...Array.from({ length: 20 }, (_, n) => raise(n % 2 === 1)),
        ...Array.from({ length: 20 }, () => engine.one(app, query('select n from authsec.contract where id = 6'))),
      ])
      expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(10)
      expect(await engine.one(app, query('select n from authsec.contract where id = 6'))).toEqual([{ n: 10 }])
    })

    test('preceding statements run before the statement in its transaction, and their rows are discarded', async () => {
      const insert = (id: number) => ({ text: 'insert into authsec.contract (id, n) values ($1, 0) returning id', params: [String(id)] })
      const both = { ...query('select n, id from authsec.contract where id in (20, 21) order by id'), first: [insert(20), insert(21)] }
      const rows = [
        { n: 0, id: 20 },
        { n: 0, id: 21 },
      ]
      expect(await engine.one(app, both)).toEqual(rows)
      expect(await engine.transaction(app, (run) => run({ ...both, first: [] }))).toEqual(rows)
      expect(await engine.transaction(app, (run) => run({ ...query('select id from authsec.contract where id = 22'), first: [insert(22)] }))).toEqual(
        [{ id: 22 }],
      )
      expect(await stateOf(engine.one(app, { ...query('select 1 / 0'), first: [insert(23)] }))).toBe('22012')
      expect(await stateOf(engine.one(app, { ...query('insert into authsec.contract (id, n) values (24, 0)'), first: [insert(20)] }))).toBe('23505')
      expect([await count(23), await count(24)]).toEqual([0, 0])
      expect(await engine.one(app, both).catch(() => 'refused')).toBe('refused')
      expect(await engine.one(app, { ...query('select 1 as one'), first: [insert(25)] })).toEqual([{ one: 1 }])
      // The same text as a preceding and as a main statement.
      const text = 'select n from authsec.contract where id = $1'
      expect(await engine.one(app, query(text, '20'))).toEqual([{ n: 0 }])
      expect(await engine.one(app, { ...query('select 2 as two'), first: [{ text, params: ['20'] }] })).toEqual([{ two: 2 }])
    })

    test('a statement sees commits made while its preceding lock waited', async () => {
      await engine.transaction(app, (run) => put(run, 30))
      const raise = {
        ...query('update authsec.contract set n = (select n from authsec.contract where id = 30) + 1 where id = 30'),
        first: [{ text: 'select from authsec.contract where id = $1 for no key update', params: ['30'] }],
      }
      await Promise.all(Array.from({ length: 20 }, () => engine.one(app, raise)))
      expect(await engine.one(app, query('select n from authsec.contract where id = 30'))).toEqual([{ n: 20 }])
    })

    test('a script is one transaction', async () => {
      const failed = engine.script('authsec_owner', 'insert into authsec.contract values (7, 0); select 1 / 0')
      expect(await stateOf(failed)).toBe('22012')
      expect(await count(7)).toBe(0)
      await engine.script('authsec_owner', 'insert into authsec.contract values (7, 0); insert into authsec.contract values (8, 0)')
      expect(await count(8)).toBe(1)
    })

    test('an invalid scope is rejected', async () => {
      const forged = { role: 'authsec_app', tenantId: `' or true --` } as const
      await expect(engine.one(forged, query('select 1 from authsec.tenants'))).rejects.toThrow()
      await expect(engine.transaction(forged, (run) => run(query('select 1 from authsec.tenants')))).rejects.toThrow()
    })
  })
}
