// A lazily loaded route is loaded once, by its first request, and then behaves as any route.
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { startApp } from '#tests/support/app'
import { may, open } from './access.ts'
import { problem } from './problem.ts'
import { json, type LazyRoute, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { summary: 'A test.', errors: [], emits: 'nothing', reply: json(200, z.object({ q: z.string() })) } as const
const query = z.strictObject({ q: z.string() })
const parameterised = route({
  ...common,
  id: 'late.shown',
  on: 'GET /late/:id',
  access: open('A test.', { class: 'general' }),
  query,
  handle: async ({ query: { q } }) => ({ q }),
})
const fixed = route({ ...common, id: 'late.kept', on: 'GET /late/fixed', access: may('audit:read'), handle: async () => ({ q: 'fixed' }) })

const start = async (load: (route: typeof parameterised) => Promise<typeof parameterised> = async (one) => one) => {
  const loaded: string[] = []
  const late = [fixed, parameterised].map(
    (one): LazyRoute<never> => ({
      on: one.on,
      load: async () => {
        loaded.push(one.id)
        return load(one)
      },
    }),
  )
  return { loaded, app: await startApp(late, { render: problem }) }
}

test('the first request for a route loads only that route, and later requests reuse it', async () => {
  const { app, loaded } = await start()
  expect(loaded).toEqual([])
  const answers = await Promise.all(['a', 'b', 'c'].map((q) => app.request(`/late/x?q=${q}`)))
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([{ q: 'a' }, { q: 'b' }, { q: 'c' }])
  expect(loaded).toEqual(['late.shown'])
})

test('an unknown path or method loads nothing', async () => {
  const { app, loaded } = await start()
  expect((await app.request('/late')).status).toBe(404)
  const refused = await app.request('/late/x', { method: 'DELETE' })
  expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  expect(await refused.json()).toMatchObject({ code: 'method_not_allowed' })
  expect(loaded).toEqual([])
})

test('Allow lists the methods of all routes that match the path, whatever their parameters are called', async () => {
  const [one, other] = (['PUT /late/:name', 'DELETE /late/fixed'] as const).map((on) =>
    route({ ...common, id: on, on, access: may('audit:read'), handle: async () => ({ q: '' }) }),
  )
  const app = await startApp(
    [parameterised, one, other].flatMap((each) => each ?? []),
    { render: problem },
  )
  const allowed = async (path: string) => (await app.request(path, { method: 'POST' })).headers.get('allow')
  expect(await allowed('/late/x')).toBe('GET, HEAD, PUT, OPTIONS')
  expect(await allowed('/late/fixed')).toBe('GET, HEAD, PUT, DELETE, OPTIONS')
  expect(await allowed('/late/x/y')).toBeNull()
})

test('of two matching routes the first one answers, and its access rule and schema apply', async () => {
  const { app, loaded } = await start()
  expect((await app.request('/late/fixed?q=1')).status).toBe(401)
  expect((await app.request('/late/x')).status).toBe(400)
  expect((await app.request('/late/x?q=1&r=2')).status).toBe(400)
  expect(loaded).toEqual(['late.kept', 'late.shown'])
})

test('a different route loaded by mistake never answers', async () => {
  const { app } = await start(async () => parameterised)
  const refused = await app.request('/late/fixed?q=1')
  expect([refused.status, (await refused.json()).code]).toEqual([500, 'internal'])
  expect(app.log.lines.join()).toContain('GET /late/fixed was loaded as GET /late/:id')
})

test('a route that failed to load is a 500, and the next request tries again', async () => {
  let tries = 0
  const { app } = await start(async (one) => {
    tries += 1
    if (tries === 1) throw new Error('no such file')
    return one
  })
  expect((await app.request('/late/x?q=1')).status).toBe(500)
  expect((await app.request('/late/x?q=1')).status).toBe(200)
})
