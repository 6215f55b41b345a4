// The audit log as a stream.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { revokeSessions } from '#db/store/sessions'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { streamRoutes } from './stream.routes.ts'

type Stream = {
  readonly events: readonly { readonly id: string; readonly event: string; readonly target: { readonly id: string } | null }[]
  readonly next: string
}

const start = async () => {
  const app = await startApp(streamRoutes, { render: problem })
  const company = await app.company()
  const token = await app.token(company.admin)
  app.clock.advance(3)
  const pull = async (query = ''): Promise<Stream> => {
    const response = await app.request(`/audit/stream${query}`, { token })
    expect(response.status).toBe(200)
    return response.json()
  }
  return { app, company, token, pull }
}
const writeEvents = async (app: TestApp, company: Company, ...names: readonly string[]): Promise<void> => {
  for (const name of names) {
    app.clock.advance(1)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      recordEvent(t, app.ctx, { event: 'tenant.updated', actor: bySystem, target: { type: 'tenant', id: name } }),
    )
  }
}
const names = ({ events }: Stream): (string | undefined)[] => events.map(({ target }) => target?.id)

test('a client that keeps the cursor gets each event once, oldest first', async () => {
  const { app, company, pull } = await start()
  const begun = await pull()
  expect(begun.events[0]?.event).toBe('tenant.created')
  await writeEvents(app, company, 'a', 'b', 'c', 'd', 'e')
  app.clock.advance(3)
  const first = await pull(`?after=${begun.next}&limit=2`)
  const second = await pull(`?after=${first.next}&limit=2`)
  const third = await pull(`?after=${second.next}&limit=2`)
  expect([names(first), names(second), names(third)]).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  expect(await pull(`?after=${third.next}`)).toEqual({ events: [], next: third.next })
  await writeEvents(app, company, 'f')
  app.clock.advance(3)
  expect(names(await pull(`?after=${third.next}`))).toEqual(['f'])
})

test('recent events are held back, because an older one may still commit', async () => {
  const { app, company, pull } = await start()
  const { next } = await pull()
  await writeEvents(app, company, 'young')
  expect(await pull(`?after=${next}`)).toEqual({ events: [], next })
  app.clock.advance(3)
  expect(names(await pull(`?after=${next}`))).toEqual(['young'])
})

test('a waiting request returns as soon as there is an event', async () => {
  const { app, company, pull } = await start()
  const { next } = await pull()
  const waiting = pull(`?after=${next}&wait=25`)
  await writeEvents(app, company, 'late')
  app.clock.advance(3)
  expect(names(await waiting)).toEqual(['late'])
})

test('a waiting request is refused when the session ends meanwhile', async () => {
  const { app, company, token, pull } = await start()
  const { next } = await pull()
  const waiting = app.request(`/audit/stream?after=${next}&wait=25`, { token })
  await new Promise((resolve) => setTimeout(resolve, 200))
  await atomically(forTenant(app.db, company.tenantId), async (t) => void (await revokeSessions(t, company.admin.id, app.clock.now(), 'test')))
  await writeEvents(app, company, 'late')
  app.clock.advance(3)
  expect(await (await waiting).json()).toMatchObject({ status: 401, code: 'invalid_token' })
})

test('filters by event, and returns nothing of another tenant', async () => {
  const { app, company, pull } = await start()
  const globex = await app.company('globex')
  await writeEvents(app, globex, 'theirs')
  await writeEvents(app, company, 'ours')
  app.clock.advance(3)
  expect(names(await pull('?event=tenant.updated'))).toEqual(['ours'])
})

test.each(['?after=nonsense', '?limit=501', '?wait=26', '?event=no.such', '?unknown=1'])('%s is refused', async (query) => {
  const { app, token } = await start()
  const response = await app.request(`/audit/stream${query}`, { token })
  expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_request' })
})
