// An unavailable database or cache never weakens a check; when it recovers, requests work again without a restart.
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
  route({ ...common, id: 'a.password', on: 'POST /a/password', access: open('A test.', { class: 'credential' }) }),
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
/** Counters outlive a test, so each test has its own address. */
const newAddress = (): string => `198.51.100.${++tests}`

const start = async () => {
  const clock = fixedClock(TEST_START)
  const [db, cache] = [severableDb((await testDb()).engine), severableCache(memoryCache(clock))]
  const app = await startApp(routes, { db: db.db, cache: cache.cache, env: { RATE_LIMIT: 'on' } })
  const address = newAddress()
  const send = async (path: string, call: Parameters<typeof app.request>[1] = {}): Promise<readonly [number, string | null]> => {
    const response = await app.request(path, { address, ...call })
    return [response.status, response.headers.get('retry-after')]
  }
  return { app, db, cache, send }
}

test('without the database a request that needs a look-up gets 503 with Retry-After, and works again afterwards', async () => {
  const { app, db, send } = await start()
  const token = await app.token((await app.company()).admin)
  expect(await send('/a/me', { token })).toEqual([204, null])
  db.cut()
  app.clock.advance(3)
  for (let n = 0; n < 3; n++) expect(await send('/a/me', { token })).toEqual([503, '2'])
  const response = await app.request('/a/me', { token })
  expect(await response.json()).toMatchObject({ code: 'unavailable' })
  expect(await send('/a/public')).toEqual([204, null])
  db.mend()
  expect(await send('/a/me', { token })).toEqual([204, null])
})

test('a deadlock is answered with 503 and Retry-After', async () => {
  const { send } = await start()
  expect(await send('/a/collide', { method: 'POST' })).toEqual([503, '1'])
})

test('without the database a refusal keeps its status and is logged', async () => {
  const { app, db, send } = await start()
  const token = await app.token((await app.company()).admin)
  db.cut()
  expect((await send('/a/me'))[0]).toBe(401)
  expect((await send('/a/me', { token: `${token}x` }))[0]).toBe(401)
  expect(app.log.lines.some((line) => line.includes('refusal_not_recorded'))).toBe(true)
})

test('without the cache credential limits are counted in Postgres across instances, and other routes keep working', async () => {
  const [one, two] = [await start(), await start()]
  one.cache.cut()
  two.cache.cut()
  const address = newAddress()
  for (let n = 0; n < LIMITS.credential.perAddress; n++) {
    expect((await (n % 2 === 0 ? one : two).send('/a/password', { method: 'POST', address }))[0]).toBe(204)
  }
  for (const { send } of [one, two]) {
    const [status, retryAfter] = await send('/a/password', { method: 'POST', address })
    expect(status).toBe(429)
    expect(Number(retryAfter)).toBeGreaterThan(0)
  }
  const token = await one.app.token((await one.app.company()).admin)
  expect(await one.send('/a/me', { token })).toEqual([204, null])
  expect(await one.send('/a/public')).toEqual([204, null])
})

test('without cache and database routes with credentials answer 503, and work again when either recovers', async () => {
  const { app, cache, db, send } = await start()
  const token = await app.token((await app.company()).admin)
  cache.cut()
  db.cut()
  expect(await send('/a/password', { method: 'POST' })).toEqual([503, '5'])
  expect((await send('/a/me', { token }))[0]).toBe(503)
  expect(await send('/a/public')).toEqual([204, null])
  db.mend()
  expect(await send('/a/password', { method: 'POST' })).toEqual([204, null])
  expect(await send('/a/me', { token })).toEqual([204, null])
  cache.mend()
  expect(await send('/a/password', { method: 'POST' })).toEqual([204, null])
})
