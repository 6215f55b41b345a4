// The contract on a server, and failures that only a server can have.
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { and, inArray } from 'drizzle-orm'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TEST_LOGIN_PASSWORD, testDatabase } from '#tests/support/database'
import { outboxQueue } from '../tables/operations.ts'
import { type CutProxy, cutProxy } from '../testing/cut-proxy.ts'
import { type DatabaseScope, DatabaseUnavailable, type Engine, queriesThrough, sqlState } from './client.ts'
import { engineContract } from './engine.contract.ts'
import { knownStatements, MAX_PREPARED_STATEMENTS } from './pool.ts'
import { postgresEngine } from './postgres.ts'

engineContract('PostgreSQL, each role logged in as itself', async () => {
  const { db } = await testDatabase()
  return { engine: db.engine, close: async () => undefined }
})

engineContract('PostgreSQL, one privileged login that switches', async () => {
  const { url } = await testDatabase()
  const engine = postgresEngine({ url: url ?? '' })
  return { engine, close: engine.close }
})

test('a privileged login only becomes one of the three roles', async () => {
  const { url = '' } = await testDatabase()
  const engine = postgresEngine({ url })
  const who = { text: 'select current_user::text as role', params: [], arrays: false }
  for (const role of [new URL(url).username, 'none', 'pg_read_all_data', 'authsec_app ']) {
    const forged = { role, tenantId: '' } as unknown as DatabaseScope
    await expect(engine.one(forged, who)).rejects.toThrow('malformed scope')
    await expect(engine.transaction(forged, (run) => run(who))).rejects.toThrow('malformed scope')
  }
  await engine.close()
})

test('a statement’s name is the same in every process and unique to its text', async () => {
  const engine = postgresEngine({ url: (await testDatabase()).url ?? '', maxConnections: 1 })
  const text = 'select name, statement from pg_prepared_statements'
  const prepared = (await engine.one({ role: 'authsec_app', tenantId: '' }, { text, params: [], arrays: true })) as [string, string][]
  expect(prepared.length).toBeGreaterThan(0)
  for (const [name, reported] of prepared) expect(name).toBe(`s${createHash('sha256').update(reported).digest('hex').slice(0, 32)}`)
  await engine.close()
})

test('lists and rows of varying length use up no statement names', async () => {
  const known = knownStatements(20)
  const queries = queriesThrough(async ({ text }) => {
    known(text)
    return []
  })
  const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ tenantId: randomUUID(), id: String(n), dueAt: new Date(0) }))
  for (let count = 1; count <= 40; count++) {
    const ids = rows(count).map(({ id }) => id)
    await queries.select().from(outboxQueue).where(inArray(outboxQueue.id, ids))
    await queries.delete(outboxQueue).where(and(inArray(outboxQueue.id, ids), inArray(outboxQueue.tenantId, ids)))
    await queries.insert(outboxQueue).values(rows(count))
  }
  expect(known('select 1 as rare').name).toMatch(/^s[0-9a-f]{32}$/)
})

test('a statement without values and without a name still runs with its role and tenant', async () => {
  const engine = postgresEngine({ url: (await testDatabase()).url ?? '' })
  const scope: DatabaseScope = { role: 'authsec_app', tenantId: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee' }
  for (let n = 0; n <= MAX_PREPARED_STATEMENTS; n++) {
    const text = `select ${n} as n, current_user::text as role, current_setting('app.tenant_id') as tenant`
    expect(await engine.one(scope, { text, params: [], arrays: false })).toEqual([{ n, role: scope.role, tenant: scope.tenantId }])
  }
  await engine.close()
})

describe('an unavailable database', () => {
  const app: DatabaseScope = { role: 'authsec_app', tenantId: '' }
  const one = { text: 'select 1 as one', params: [], arrays: false }
  const slow = { text: `select pg_sleep(20) from nextval('authsec.tries')`, params: [], arrays: false }
  let proxy: CutProxy
  let engine: Engine
  const idle: Error[] = []
  beforeAll(async () => {
    const url = new URL((await testDatabase()).url ?? '')
    proxy = await cutProxy(url.hostname, Number(url.port || 5432))
    url.port = String(proxy.port)
    engine = postgresEngine({ url: url.href, maxConnections: 4, onIdleError: (error) => idle.push(error) })
    await engine.script('authsec_owner', 'create sequence authsec.tries; grant all on sequence authsec.tries to authsec_app')
  })
  afterAll(async () => {
    await engine.script('authsec_owner', 'drop sequence authsec.tries')
    await engine.close()
    await proxy.close()
  })
  const tries = { ...one, text: 'select last_value::int as tries from authsec.tries' }
  const ofSlow = `from pg_stat_activity where state = 'active' and query = '${slow.text.replaceAll("'", "''")}' and datname = current_database()`
  /** Waits until this many slow statements run on the server, breaks the connection, and terminates what the server would keep running. */
  const whileRunning = async (count: number, breaks: () => void): Promise<void> => {
    const watch = new pg.Client({ connectionString: (await testDatabase()).url })
    await watch.connect()
    while ((await watch.query<{ count: number }>(`select count(*)::int as count ${ofSlow}`)).rows[0]?.count !== count);
    breaks()
    await watch.query(`select pg_terminate_backend(pid, 5000) ${ofSlow}`)
    await watch.end()
  }
  const outcome = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'done',
      (error: unknown) => error,
    )

  test('is reported at once, and works again without a restart', async () => {
    expect(await engine.one(app, one)).toEqual([{ one: 1 }])
    proxy.cut()
    for (let n = 0; n < 6; n++) expect(await outcome(engine.one(app, one))).toBeInstanceOf(DatabaseUnavailable)
    expect(await outcome(engine.transaction(app, (run) => run(one)))).toBeInstanceOf(DatabaseUnavailable)
    expect(await outcome(engine.script('login', 'select 1'))).toBeInstanceOf(DatabaseUnavailable)
    proxy.mend()
    expect(await engine.one(app, one)).toEqual([{ one: 1 }])
    expect(await engine.transaction(app, (run) => run(one))).toEqual([{ one: 1 }])
  })

  test('connections that broke while idle fail no request', async () => {
    await Promise.all(Array.from({ length: 4 }, () => engine.transaction(app, (run) => run(one))))
    proxy.drop()
    expect(await engine.one(app, one)).toEqual([{ one: 1 }])
    await Promise.all(Array.from({ length: 4 }, () => engine.transaction(app, (run) => run(one))))
    proxy.drop()
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => engine.one(app, one)))
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'fulfilled'))
  })

  test('a cut during a statement or transaction is an error; what may have been applied is never retried', async () => {
    let entered = 0
    const statement = outcome(engine.one(app, slow))
    const transaction = outcome(
      engine.transaction(app, async (run) => {
        entered += 1
        await run(one)
        await run(slow)
      }),
    )
    await whileRunning(2, proxy.drop)
    expect(await transaction).toBeInstanceOf(DatabaseUnavailable)
    expect(await statement).toBeInstanceOf(DatabaseUnavailable)
    expect(entered).toBe(1)
    expect(await engine.one(app, tries)).toEqual([{ tries: 2 }])
    expect(await engine.one(app, one)).toEqual([{ one: 1 }])
  })

  test('a change whose response was lost is not applied twice', async () => {
    await engine.script(
      'authsec_owner',
      'create table authsec.once (n int); grant all on authsec.once to authsec_app; insert into authsec.once values (0)',
    )
    const raise = { text: 'update authsec.once set n = n + 1', params: [], arrays: false }
    const count = async () => (await engine.one(app, { ...one, text: 'select n from authsec.once' }))[0]
    // A connection with a recent response, and one that may be dead.
    for (const [round, pause] of [0, 1100].entries()) {
      expect(await count()).toEqual({ n: round })
      await sleep(pause)
      const done = proxy.withhold('UPDATE 1')
      const raised = outcome(engine.one(app, raise))
      await done
      proxy.drop()
      const result = await raised
      if (pause > 0) expect(result).toBe('done')
      expect(await count()).toEqual({ n: round + 1 })
    }
    await sleep(1100)
    proxy.drop()
    expect(await outcome(engine.one(app, raise))).toBe('done')
    expect(await count()).toEqual({ n: 3 })
    await engine.script('authsec_owner', 'drop table authsec.once')
  })

  test('a statement that takes too long is an error, its late response reaches no other query, and a script may take longer', async () => {
    const single = postgresEngine({ url: (await testDatabase()).url ?? '', maxConnections: 1, statementTimeoutMs: 2000 })
    const late = { ...one, text: `select 'late' as said from pg_sleep(3)` }
    const inTransaction = single.transaction(app, async (run) => {
      await run(one)
      await run(late)
    })
    expect(await outcome(inTransaction)).toBeInstanceOf(DatabaseUnavailable)
    expect(await outcome(single.one(app, late))).toBeInstanceOf(DatabaseUnavailable)
    expect(await single.one(app, one)).toEqual([{ one: 1 }])
    expect(await outcome(single.script('login', late.text))).toBe('done')
    expect(await single.transaction(app, (run) => run(one))).toEqual([{ one: 1 }])
    await single.close()
  })

  test('when the role is refused nothing runs, and the statement remains usable for an allowed role', async () => {
    const url = new URL((await testDatabase()).url ?? '')
    url.username = 'authsec_app'
    url.password = TEST_LOGIN_PASSWORD
    const single = postgresEngine({ url: url.href, maxConnections: 1 })
    const next = { ...one, text: `select nextval('authsec.tries')::int as next` }
    const [before] = (await single.one(app, tries)) as { tries: number }[]
    const jobs: DatabaseScope = { role: 'authsec_jobs', tenantId: '' }
    for (const refused of [single.one(jobs, next), single.transaction(jobs, (run) => run(next)), single.one(jobs, next)]) {
      expect(sqlState(await outcome(refused))).toBe('42501')
    }
    expect(await single.one(app, next)).toEqual([{ next: (before?.tries ?? 0) + 1 }])
    expect(await single.transaction(app, (run) => run(next))).toEqual([{ next: (before?.tries ?? 0) + 2 }])
    await single.close()
  })

  test('more parameters than the protocol can count are refused before anything is sent', async () => {
    const many = (count: number) => ({
      ...one,
      text: `select 1 as one where 1 in (${Array.from({ length: count }, (_, n) => `$${n + 1}::int`).join()})`,
    })
    const params = (count: number) => Array.from({ length: count }, () => 1)
    expect(await engine.one(app, { ...many(65_535), params: params(65_535) })).toEqual([{ one: 1 }])
    const refused = await outcome(engine.one(app, { ...many(65_536), params: params(65_536) }))
    expect(refused).toBeInstanceOf(Error)
    expect(refused).not.toBeInstanceOf(DatabaseUnavailable)
  })

  test('a demoted server is unavailable, and the next query uses a new connection', async () => {
    const { url = '' } = await testDatabase()
    const name = new URL(url).pathname.slice(1)
    const admin = new pg.Client({ connectionString: url })
    await admin.connect()
    await admin.query(`alter database ${name} set default_transaction_read_only = on`)
    const single = postgresEngine({ url, maxConnections: 1 })
    const change = { text: 'update authsec.limit_counters set count = 1 where false', params: [], arrays: false }
    const refused = await outcome(single.one(app, change))
    await admin.query(`alter database ${name} reset default_transaction_read_only`)
    await admin.end()
    expect(refused).toBeInstanceOf(DatabaseUnavailable)
    expect(await outcome(single.one(app, change))).toBe('done')
    await single.close()
  })

  test('a value that cannot be serialised does not break the statement for later queries', async () => {
    const single = postgresEngine({ url: (await testDatabase()).url ?? '', maxConnections: 1 })
    const reported = (value: unknown) => ({ text: 'select $1::text as said', params: [value], arrays: false })
    const circle: unknown[] = []
    circle.push({ circle })
    for (const bad of [circle, { toJSON: () => 1n }, Object.create(null)]) {
      expect(await outcome(single.one(app, reported(bad)))).toBeInstanceOf(Error)
      expect(await outcome(single.transaction(app, (run) => run(reported(bad))))).toBeInstanceOf(Error)
      expect(await single.one(app, reported('a'))).toEqual([{ said: 'a' }])
    }
    await single.close()
  })

  test('a pool recovers after all its connections broke in use', async () => {
    for (let round = 0; round < 3; round++) {
      const work = Array.from({ length: 4 }, () => outcome(engine.transaction(app, (run) => run(slow))))
      await whileRunning(4, proxy.cut)
      for (const ended of await Promise.all(work)) expect(ended).toBeInstanceOf(DatabaseUnavailable)
      proxy.mend()
    }
    const all = await Promise.all(Array.from({ length: 12 }, () => engine.transaction(app, (run) => run(one))))
    expect(all).toHaveLength(12)
  })
})
