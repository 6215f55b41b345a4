// A disk that is full is a state of the deployment, not a failure of the program: requests that write are answered 503, and health says so.
import { expect, test } from 'vitest'
import { type DatabaseScope, type Engine, isOutOfSpace, openDb, type RunStatement } from '#db/engine/client'
import { NoRoom } from '#db/engine/folder'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { open } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, routeFor } from '#shared/platform/http/route'
import { startApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { startFailure } from '../../../apps/local/local.ts'
import { healthRoutes } from '../../../functions/tenants/health.routes.ts'

const route = routeFor<RequestCtx>()
const writing = (raised: string) =>
  route({
    id: `s.write${raised}`,
    on: `POST /s/write/${raised}` as 'POST /s/write',
    summary: 'A test.',
    access: open('A test.', { class: 'general' }),
    reply: empty(204),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx }) => {
      const text = `do $$ begin raise 'no room' using errcode = '${raised}'; end $$`
      await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) => t.run({ text, params: [], arrays: false }))
      return undefined
    },
  })

/** The engine, whose writes fail as Node's do where there is no room. */
const cramped = (engine: Engine) => {
  const state = { isFull: false }
  const db = openDb({
    ...engine,
    transaction: <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) =>
      state.isFull ? Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' })) : engine.transaction(scope, work),
  })
  return { db, state }
}
const healthOf = async (response: Response) => {
  const { status, checks } = await response.json()
  return [response.status, status, checks.database]
}
const FULL = [503, 'unhealthy', { healthy: false, message: 'no room to write' }]
const HEALTHY = [200, 'healthy', { healthy: true, message: 'operational' }]
const HEALTH = '/authsec/uflow/health'

test.each(['53100', '53200'])('SQLSTATE %s: 503 with Retry-After, and unhealthy until half a minute has passed without it', async (code) => {
  const app = await startApp([...healthRoutes, writing(code)] as never, { render: problem })
  expect(await healthOf(await app.request(HEALTH))).toEqual(HEALTHY)
  const refused = await app.request(`/s/write/${code}`, { method: 'POST' })
  expect([refused.status, refused.headers.get('retry-after'), (await refused.json()).code]).toEqual([503, '30', 'unavailable'])
  expect(await healthOf(await app.request(HEALTH))).toEqual(FULL)
  app.clock.advance(29)
  expect(await healthOf(await app.request(HEALTH))).toEqual(FULL)
  app.clock.advance(1)
  expect(await healthOf(await app.request(HEALTH))).toEqual(HEALTHY)
})

test('the embedded engine\u2019s own error is treated alike', async () => {
  const { db, state } = cramped((await testDb()).engine)
  const app = await startApp([...healthRoutes, writing('00000')] as never, { render: problem, db })
  state.isFull = true
  const refused = await app.request('/s/write/00000', { method: 'POST' })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
  expect(await healthOf(await app.request(HEALTH))).toEqual(FULL)
})

test('a start on a full disk says so in one line', () => {
  const failures = [
    new NoRoom('/data'),
    Object.assign(new Error('x'), { code: '53100' }),
    Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' }),
  ]
  for (const failure of [...failures, { name: 'ErrnoError', errno: 51 }]) expect(startFailure(failure)).toMatch(/^The disk of .* full[^\n]*$/)
  expect(startFailure(new Error('unknown'))).toContain('\n')
})

test('other failures are not taken for a lack of room', () => {
  expect(isOutOfSpace(new Error('outer', { cause: Object.assign(new Error('inner'), { code: '53100' }) }))).toBe(true)
  // The file system below the embedded engine.
  expect(isOutOfSpace({ name: 'ErrnoError', errno: 51 })).toBe(true)
  expect(isOutOfSpace({ name: 'ErrnoError', errno: 44 })).toBe(false)
  for (const code of ['53300', '53400', '40001', 'ENOENT', undefined]) expect(isOutOfSpace(Object.assign(new Error('x'), { code })), code).toBe(false)
})
