// A part that is away closes doors and never opens one; once it is back all goes on, without a restart.
import { expect, test } from 'vitest'
import { directory } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { fixedClock } from '#shared/kernel/clock'
import { memoryCache } from '#shared/platform/cache/memory'
import { startApp, TEST_START } from '#tests/support/app'
import { severableDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { severableCache } from '#tests/support/severable-cache'
import { LIMITS, open, user } from './access.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { reply: empty(204), errors: [], emits: 'nothing', summary: 'A test.', handle: async () => undefined } as const
const routes = [
  route({ ...common, id: 'a.me', on: 'GET /a/me', access: user() }),
  route({ ...common, id: 'a.door', on: 'POST /a/door', access: open('A test.', { class: 'credential' }) }),
  route({
    ...common,
    id: 'a.collide',
    on: 'POST /a/collide',
    access: open('A test.', { class: 'general' }),
    handle: async ({ ctx }) => {
      const raise = `do $$ begin raise 'deadlock detected' using errcode = '40P01'; end $$`
      await directory(ctx.db).run({ text: raise, params: [], arrays: false })
      return undefined
    },
  }),
  route({ ...common, id: 'a.public', on: 'GET /a/public', access: open('A test.', { class: 'general' }) }),
]

let tests = 0
/** Counters outlive a test, so each has an address of its own. */
const freshAddress = (): string => `198.51.100.${++tests}`

const start = async () => {
  const clock = fixedClock(TEST_START)
  const [db, cache] = [severableDb((await testDb()).engine), severableCache(memoryCache(clock))]
  const app = await startApp(routes, { db: db.db, cache: cache.cache, env: { RATE_LIMIT: 'on' } })
  const address = freshAddress()
  const ask = async (path: string, call: Parameters<typeof app.request>[1] = {}): Promise<readonly [number, string | null]> => {
    const response = await app.request(path, { address, ...call })
    return [response.status, response.headers.get('retry-after')]
  }
  return { app, db, cache, ask }
}

test('with the database away whoever has to be looked up gets 503 and when to come back; then all goes on', async () => {
  const { app, db, ask } = await start()
  const token = await app.token((await app.company()).admin)
  expect(await ask('/a/me', { token })).toEqual([204, null])
  db.cut()
  app.clock.advance(3)
  for (let n = 0; n < 3; n++) expect(await ask('/a/me', { token })).toEqual([503, '2'])
  const response = await app.request('/a/me', { token })
  expect(await response.json()).toMatchObject({ code: 'unavailable' })
  expect(await ask('/a/public')).toEqual([204, null])
  db.mend()
  expect(await ask('/a/me', { token })).toEqual([204, null])
})

test('of two changes that waited for each other the one that was given up may come again, and is no fault', async () => {
  const { ask } = await start()
  expect(await ask('/a/collide', { method: 'POST' })).toEqual([503, '1'])
})

test('with the database away a refusal is still a refusal', async () => {
  const { app, db, ask } = await start()
  const token = await app.token((await app.company()).admin)
  db.cut()
  expect((await ask('/a/me'))[0]).toBe(401)
  expect((await ask('/a/me', { token: `${token}x` }))[0]).toBe(401)
  expect(app.log.lines.some((line) => line.includes('refusal_not_recorded'))).toBe(true)
})

test('with the cache away doors of credentials are limited through Postgres, across instances; others go on', async () => {
  const [one, two] = [await start(), await start()]
  one.cache.cut()
  two.cache.cut()
  const address = freshAddress()
  for (let n = 0; n < LIMITS.credential.perAddress; n++) {
    expect((await (n % 2 === 0 ? one : two).ask('/a/door', { method: 'POST', address }))[0]).toBe(204)
  }
  for (const { ask } of [one, two]) {
    const [status, retryAfter] = await ask('/a/door', { method: 'POST', address })
    expect(status).toBe(429)
    expect(Number(retryAfter)).toBeGreaterThan(0)
  }
  const token = await one.app.token((await one.app.company()).admin)
  expect(await one.ask('/a/me', { token })).toEqual([204, null])
  expect(await one.ask('/a/public')).toEqual([204, null])
})

test('with both away doors of credentials are shut, and open again when either is back', async () => {
  const { app, cache, db, ask } = await start()
  const token = await app.token((await app.company()).admin)
  cache.cut()
  db.cut()
  expect(await ask('/a/door', { method: 'POST' })).toEqual([503, '5'])
  expect((await ask('/a/me', { token }))[0]).toBe(503)
  expect(await ask('/a/public')).toEqual([204, null])
  db.mend()
  expect(await ask('/a/door', { method: 'POST' })).toEqual([204, null])
  expect(await ask('/a/me', { token })).toEqual([204, null])
  cache.mend()
  expect(await ask('/a/door', { method: 'POST' })).toEqual([204, null])
})
