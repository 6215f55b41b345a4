// Reading and exporting the audit log.
import { describe, expect, test } from 'vitest'
import { asOwner, atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { insertAuditEvent } from '#db/store/audit-events'
import { systemRandom } from '#shared/kernel/random'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { type Company, PASSWORD, startApp, type TestApp } from '#tests/support/app'
import { accountRoutes } from '../account/routes.ts'
import { authRoutes } from '../auth/routes.ts'
import { signUpRoutes } from '../sign-up/routes.ts'
import { auditRoutes } from './routes.ts'

const start = () => startApp([...auditRoutes, ...accountRoutes, ...authRoutes, ...signUpRoutes], { render: problem })

type Event = { readonly id: string; readonly event: string; readonly at: string; readonly erased: boolean; readonly damaged: boolean } & Record<
  string,
  unknown
>
type Page = { readonly events: Event[]; readonly next: string | null }

/** Writes `count` events, one a second, oldest first. */
const withEvents = async (app: TestApp, company: Company, count: number): Promise<void> => {
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    for (let n = 0; n < count; n++) {
      app.clock.advance(1)
      await recordEvent(t, app.ctx, { event: 'tenant.updated', actor: bySystem, target: { type: 'tenant', id: `n${n}` }, after: { n } })
    }
  })
}
const get = async (app: TestApp, token: string, query = ''): Promise<Page> => {
  const response = await app.request(`/audit/events${query}`, { token })
  expect(response.status).toBe(200)
  return response.json()
}
const lines = async (app: TestApp, token: string, query = ''): Promise<Event[]> => {
  const response = await app.request(`/audit/export${query}`, { token })
  expect(response.status).toBe(200)
  return (await response.text()).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}
const targets = (events: readonly Event[]): unknown[] => events.map(({ target }) => (target as { id: string }).id)

describe('queries', () => {
  test('reading the audit log needs admin:access and audit:read', async () => {
    const app = await start()
    const acme = await app.company()
    for (const path of ['/audit/events', '/audit/export']) {
      expect(await (await app.request(path)).json()).toMatchObject({ status: 401, code: 'unauthorized' })
      for (const grant of [[], ['audit:read'], ['admin:access']] as const) {
        const token = await app.token(await app.person(acme, grant))
        expect(await (await app.request(path, { token })).json()).toMatchObject({ status: 403, code: 'insufficient_scope' })
      }
      expect((await app.request(path, { token: await app.token(await app.person(acme, ['admin:access', 'audit:read'])) })).status).toBe(200)
    }
  })

  test('an event has its actor, target, time, origin and changes', async () => {
    const app = await start()
    const acme = await app.company()
    const token = await app.token(acme.admin)
    const email = 'elsewhere@acme-elsewhere.example'
    await app.request('/account/email', {
      token,
      body: { new_email: email, current_password: PASSWORD },
      headers: { 'x-request-id': 'r-77', 'user-agent': 'curl/8.1' },
    })
    const { events } = await get(app, token, '?event=user.email_change_requested')
    expect(events).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        at: '2026-03-02T09:00:00.000Z',
        event: 'user.email_change_requested',
        outcome: 'success',
        reason: null,
        actor: { type: 'user', id: acme.admin.id, client_id: acme.clientId, session_id: expect.any(String), on_behalf_of: null },
        target: { type: 'user', id: acme.admin.id },
        request_id: 'r-77',
        route: 'account.changeEmail',
        count: 1,
        address: '192.0.2.1',
        user_agent: 'curl/8.1',
        before: { email: acme.admin.email },
        after: { email },
        erased: false,
        damaged: false,
      },
    ])
  })

  test('a tenant reads its own events only, regardless of the filter', async () => {
    const app = await start()
    const [acme, globex] = [await app.company('acme'), await app.company('globex')]
    await withEvents(app, acme, 3)
    const [anas, gils] = [await app.token(acme.admin), await app.token(globex.admin)]
    const theirs = (await get(app, anas, '?limit=200')).events
    const [first] = theirs
    const seen = new Set((await get(app, gils, '?limit=200')).events.map(({ id }) => id))
    expect(theirs.filter(({ id }) => seen.has(id))).toEqual([])
    for (const query of [`?actor_id=${acme.admin.id}`, '?target_id=n1', `?after=${first?.id}&target_id=n1`]) {
      expect((await get(app, gils, query)).events).toEqual([])
      expect(await lines(app, gils, query.replace(/after=[^&]+&/, ''))).toEqual([])
    }
    const named = await app.request(`/audit/events?tenant_id=${acme.tenantId}`, { token: gils })
    expect(named.status).toBe(403)
  })

  test('filters by event, outcome, actor, target and time', async () => {
    const app = await start()
    const acme = await app.company()
    await withEvents(app, acme, 5)
    const token = await app.token(acme.admin)
    await app.request('/account/password', { token, body: { current_password: 'not this one at all', new_password: PASSWORD } })
    expect(targets((await get(app, token, '?event=tenant.updated')).events)).toEqual(['n4', 'n3', 'n2', 'n1', 'n0'])
    expect(targets((await get(app, token, '?target_id=n2')).events)).toEqual(['n2'])
    expect((await get(app, token, '?outcome=refused')).events.map(({ event, reason }) => [event, reason])).toEqual([
      ['request.refused', 'invalid_credentials'],
    ])
    const ofAdmin = (await get(app, token, `?actor_id=${acme.admin.id}`)).events.map(({ event }) => event).toSorted()
    expect(ofAdmin).toEqual(['request.refused', 'session.created', 'user.signed_in'])
    const window = '?event=tenant.updated&from=2026-03-02T09:00:02.000Z&to=2026-03-02T10:00:04.000%2B01:00'
    expect(targets((await get(app, token, window)).events)).toEqual(['n2', 'n1'])
    expect((await get(app, token, '?from=9999-12-31T23:59:59Z')).events).toEqual([])
    expect((await get(app, token, '?to=1970-01-01T00:00:00Z')).events).toEqual([])
  })

  test('pages have no gap and no repeat while events are written', async () => {
    const app = await start()
    const acme = await app.company()
    await withEvents(app, acme, 7)
    const token = await app.token(acme.admin)
    const seen: unknown[] = []
    let after = ''
    for (let pages = 0; pages < 5; pages++) {
      const page = await get(app, token, `?event=tenant.updated&limit=3${after}`)
      seen.push(...targets(page.events))
      await withEvents(app, acme, 2)
      if (page.next === null) break
      after = `&after=${page.next}`
    }
    expect(seen).toEqual(['n6', 'n5', 'n4', 'n3', 'n2', 'n1', 'n0'])
  })

  test('the last page has no cursor, even when it is full', async () => {
    const app = await start()
    const acme = await app.company()
    await withEvents(app, acme, 2)
    const token = await app.token(acme.admin)
    expect((await get(app, token, '?event=tenant.updated&limit=1')).next).not.toBeNull()
    expect((await get(app, token, '?event=tenant.updated&limit=2')).next).toBeNull()
  })

  test.each([
    'limit=0',
    'limit=201',
    'limit=1.5',
    'limit=',
    'limit=x',
    'after=x',
    'event=no.such',
    'outcome=maybe',
    'actor_id=1',
    'target_id=',
    'from=yesterday',
    'to=2026-02-30T00:00:00Z',
    'to=0001-01-01T00:00:00Z',
    'page=2',
  ])('%s is refused', async (query) => {
    const app = await start()
    const token = await app.token((await app.company()).admin)
    const response = await app.request(`/audit/events?${query}`, { token })
    expect(await response.json()).toMatchObject({ status: 400, code: 'invalid_request', field: expect.stringMatching(/^query/) })
  })
})

/** Inserts rows directly, enough for several pages of an export. */
const bulk = async (app: TestApp, tenantId: TenantId, count: number): Promise<void> =>
  atomically(forTenant(app.db, tenantId), async (t) => {
    const random = systemRandom(app.clock)
    for (let n = 0; n < count; n++) {
      const row = {
        id: random.id(),
        at: app.clock.now(),
        event: 'user.signed_in',
        outcome: 'success',
        actorType: 'system',
        subjectId: tenantId,
      } as const
      await insertAuditEvent(t, row)
    }
  })

describe('exports', () => {
  test('an export has every event once, newest first, and is itself in the audit log', async () => {
    const app = await start()
    const acme = await app.company()
    await bulk(app, acme.tenantId, 1205)
    app.clock.advance(1)
    const token = await app.token(acme.admin)
    const response = await app.request('/audit/export', { token })
    expect(response.headers.get('content-type')).toBe('application/jsonl; charset=utf-8')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="audit.jsonl"')
    await response.text()
    app.clock.advance(1)
    const exported = await lines(app, token)
    const ids = exported.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(ids.toSorted().toReversed())
    expect(exported.filter(({ event, route }) => event === 'user.signed_in' && route === null)).toHaveLength(1205)
    expect(exported.filter(({ event }) => event === 'audit.exported')).toHaveLength(2)
    expect(exported[0]).toMatchObject({ event: 'audit.exported', actor: { id: acme.admin.id }, target: { type: 'tenant', id: acme.tenantId } })
  })

  test('the event of an export has its filter', async () => {
    const app = await start()
    const acme = await app.company()
    await withEvents(app, acme, 3)
    const token = await app.token(acme.admin)
    expect(targets(await lines(app, token, '?target_id=n1&outcome=success'))).toEqual(['n1'])
    const [event] = (await get(app, token, '?event=audit.exported')).events
    expect(event?.after).toEqual({ filter: { target_id: 'n1', outcome: 'success' } })
  })
})

describe('the content of events', () => {
  test('no event contains a secret: password, hash, code, transaction handle or token', async () => {
    const app = await start()
    const acme = await app.company()
    const { admin } = acme
    const reply = await app.request('/authsec/uflow/auth/admin/login', {
      body: { email: admin.email, password: PASSWORD, tenant_domain: acme.domain },
    })
    const { token } = await reply.json()
    const next = 'seven purple lanterns over water'
    await app.request('/account/password', { token, body: { current_password: 'a wrong guess of mine', new_password: next } })
    await app.request('/account/password', { token, body: { current_password: PASSWORD, new_password: next } })
    const begun = await app.request('/account/email', { token, body: { new_email: 'new@elsewhere.example', current_password: next } })
    const { change_ticket } = await begun.json()
    const codes: string[] = []
    for (const to of ['new@elsewhere.example', admin.email]) {
      const texts = (await app.mailsTo(to)).map(({ text }) => text)
      codes.push(/^\d{6}$/m.exec(texts.join('\n'))?.[0] ?? 'no code')
    }
    await app.request('/account/email/confirm', { token, body: { change_ticket, code_new: codes[0], code_current: codes[1] } })
    const all = await lines(app, token)
    expect(all.map(({ event }) => event)).toEqual(expect.arrayContaining(['user.email_changed', 'user.password_changed', 'request.refused']))
    const text = JSON.stringify(all)
    const cookies = reply.headers.getSetCookie().map((line) => line.split(/[=;]/)[1] ?? '')
    const secrets = [
      PASSWORD,
      next,
      'a wrong guess of mine',
      change_ticket,
      change_ticket.split('.')[1],
      token,
      token.split('.')[2],
      '$argon2',
      ...codes,
      ...cookies,
    ]
    for (const secret of secrets) expect(text).not.toContain(secret)
  })

  test('erasing a person makes the details of that person\u2019s events unreadable, and keeps the rows', async () => {
    const app = await start()
    const acme = await app.company()
    const ana = await app.person(acme)
    const anas = await app.token(ana)
    await app.request('/account/sign-out', { method: 'POST', token: anas })
    const token = await app.token(acme.admin)
    const query = `?actor_id=${ana.id}&event=user.signed_out`
    expect((await get(app, token, query)).events[0]).toMatchObject({ address: '192.0.2.1', erased: false })
    await atomically(forTenant(app.db, acme.tenantId), (t) => app.ctx.keyring.destroy(t, ana.id))
    const [erasedEvent] = (await get(app, token, query)).events
    expect(erasedEvent).toMatchObject({
      event: 'user.signed_out',
      actor: { id: ana.id },
      address: null,
      user_agent: null,
      before: null,
      after: null,
      erased: true,
      damaged: false,
    })
    expect((await get(app, token, `?actor_id=${acme.admin.id}`)).events.every(({ erased }) => !erased)).toBe(true)
  })

  test('an event that was tampered with is marked as damaged, and other events stay readable', async () => {
    const app = await start()
    const acme = await app.company()
    await withEvents(app, acme, 3)
    await asOwner(app.db, acme.tenantId, async (t) => {
      await t.run({
        text: `update authsec.audit_events set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1)) where target_id = 'n1'`,
        params: [],
        arrays: true,
      })
    })
    const token = await app.token(acme.admin)
    const { events } = await get(app, token, '?event=tenant.updated')
    expect(events.map(({ damaged, after }) => [damaged, after])).toEqual([
      [false, { n: 2 }],
      [true, null],
      [false, { n: 0 }],
    ])
    expect(JSON.stringify(app.log.lines)).toContain('audit_event_damaged')
  })
})
