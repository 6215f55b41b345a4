import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { expediteWebhooks, insertWebhook, queueWebhook } from '#db/store/webhooks'
import { deliverDueWebhooks } from '#shared/domains/webhooks/deliver'
import { secretContext } from '#shared/domains/webhooks/message'
import { newWebhookSecret } from '#shared/domains/webhooks/sign'
import { lowestIdAt } from '#shared/kernel/random'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { fitsSignature, type WebhookReceiver, webhookReceiver } from '#tests/support/webhook-receiver'
import { webhookRoutes } from './routes.ts'

// Delivery processes due webhooks of every test, so these tests use a separate database.
const database = await ownDb()
afterAll(() => database.engine.close())

const receivers: WebhookReceiver[] = []
afterEach(async () => {
  for (const receiver of receivers.splice(0)) receiver.close()
  await directory(database).run({ text: 'delete from authsec.webhook_queue', params: [], arrays: false })
})
const aReceiver = async (): Promise<WebhookReceiver> => {
  const receiver = await webhookReceiver()
  receivers.push(receiver)
  return receiver
}

const TIMEOUT_MS = 300
const start = async () => {
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: TIMEOUT_MS })
  const app = await startApp(webhookRoutes, { render: problem, db: openDb(database.engine), env: { OUTBOUND_LOOPBACK: 'on' }, extra: { outbound } })
  const company = await app.company()
  const token = await app.token(company.admin)
  const call = async <T = Hook>(path: string, body?: unknown, method?: string): Promise<T> => {
    // The clock advances by days, which ends sessions.
    const fresh = await app.token(company.admin)
    const headers: Record<string, string> = method === 'PATCH' ? { 'if-match': '*' } : {}
    const response = await app.request(path, {
      token: fresh,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(method === undefined ? {} : { method }),
    })
    expect(response.status, await response.clone().text()).toBeLessThan(300)
    return response.status === 204 ? (undefined as T) : response.json()
  }
  const create = (url: string, more: Readonly<Record<string, unknown>> = {}): Promise<Hook & { readonly secret: string }> =>
    call('/webhooks', { url, events: ['tenant.updated'], ...more })
  /** Delivers everything that is old enough. */
  const deliver = async () => {
    app.clock.advance(3)
    return deliverDueWebhooks({ ...app.ctx, outbound })
  }
  return { app, company, token, call, create, deliver }
}
type Hook = { readonly id: string; readonly cursor: string } & Readonly<Record<string, unknown>>

/** Writes events n0, n1, ... in one transaction each. */
const happen = async (app: TestApp, company: Company, count: number, event: 'tenant.updated' | 'user.created' = 'tenant.updated'): Promise<void> => {
  for (let n = 0; n < count; n++) {
    app.clock.advance(1)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      recordEvent(t, app.ctx, { event, actor: bySystem, target: { type: 'tenant', id: `n${n}` }, after: { n } }),
    )
  }
}
/** Makes a receiver wait with its response. */
const answerOnce = (receiver: WebhookReceiver, isTime: () => boolean): void =>
  receiver.answerWith((_, response) => {
    const look = setInterval(() => {
      if (!isTime()) return
      clearInterval(look)
      response.writeHead(204).end()
    }, 5)
    response.on('close', () => clearInterval(look))
  })
const targets = (receiver: WebhookReceiver): unknown[] => receiver.received.map(({ body }) => JSON.parse(body).data.target.id)

describe('administration', () => {
  test('a webhook is created with a secret that is disclosed once, changed and deleted, and each change is recorded', async () => {
    const { app, company, call, create } = await start()
    const receiver = await aReceiver()
    const made = await create(receiver.url, { description: 'to the SIEM' })
    expect(made).toMatchObject({ url: receiver.url, active: true, failures: 0, include_origin: false, events: ['tenant.updated'] })
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(await call(`/webhooks/${made.id}`)).not.toHaveProperty('secret')
    expect(await call<unknown>('/webhooks')).toEqual({ webhooks: [await call(`/webhooks/${made.id}`)] })
    expect(await call(`/webhooks/${made.id}`, { events: ['*'], active: false }, 'PATCH')).toMatchObject({ events: ['*'], active: false })
    await call(`/webhooks/${made.id}`, undefined, 'DELETE')
    expect(await call<unknown>('/webhooks')).toEqual({ webhooks: [] })
    const events = (await app.events(company.tenantId)).filter(({ event }) => event.startsWith('webhook.'))
    expect(events.map(({ event, targetId }) => [event, targetId])).toEqual([
      ['webhook.deleted', made.id],
      ['webhook.updated', made.id],
      ['webhook.created', made.id],
    ])
  })

  test('neither the secret nor its bytes are stored unencrypted', async () => {
    const { app, company, create } = await start()
    const { secret } = await create((await aReceiver()).url)
    const text = `select row_to_json(w)::text from authsec.webhook_endpoints w`
    const rows = JSON.stringify(await forTenant(app.db, company.tenantId).run({ text, params: [], arrays: true }))
    const bytes = Buffer.from(secret.slice(6), 'base64')
    for (const form of [secret, secret.slice(6), bytes.toString('hex')]) expect(rows).not.toContain(form)
  })

  test.each([
    ['http://hooks.acme.com/', 'scheme'],
    ['https://user:pass@hooks.acme.com/', 'credentials'],
    ['https://10.0.0.1/', 'host'],
    ['https://2130706433/', 'spelling'],
    ['ftp://hooks.acme.com/', 'scheme'],
  ])('%s is refused', async (url, reason) => {
    const { app, token } = await start()
    const response = await app.request('/webhooks', { token, body: { url, events: ['*'] } })
    expect(await response.json()).toMatchObject({ status: 400, code: 'webhook_url_refused', field: 'body.url', reason })
  })

  test('refuses unknown events, an empty list of events and unknown members', async () => {
    const { app, token } = await start()
    for (const body of [
      { url: 'https://hooks.acme.com/', events: [] },
      { url: 'https://hooks.acme.com/', events: ['no.such'] },
      { url: 'https://hooks.acme.com/', events: ['*'], secret: 'mine' },
    ])
      expect(await (await app.request('/webhooks', { token, body })).json()).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('a tenant can have at most twenty, and a deleted one frees a place', async () => {
    const { app, token, call, create } = await start()
    const first = await create('https://hooks.acme.com/')
    for (let n = 1; n < 20; n++) await create('https://hooks.acme.com/')
    const more = () => app.request('/webhooks', { token, body: { url: 'https://hooks.acme.com/', events: ['*'] } })
    expect(await (await more()).json()).toMatchObject({ status: 409, code: 'webhook_limit' })
    await call(`/webhooks/${first.id}`, undefined, 'DELETE')
    expect((await more()).status).toBe(201)
  })

  test('a test message reports its result and changes nothing', async () => {
    const { call, create } = await start()
    const receiver = await aReceiver()
    const made = await create(receiver.url)
    expect(await call<unknown>(`/webhooks/${made.id}/test`, undefined, 'POST')).toEqual({ delivered: true, status: 204, failure: null })
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ type: 'webhook.test', data: { webhook_id: made.id } })
    expect(await fitsSignature(made.secret, receiver.received[0] ?? { headers: {}, body: '' })).toBe(true)
    receiver.answerWith((_, response) => response.writeHead(500).end('a secret of the inside'))
    expect(await call<unknown>(`/webhooks/${made.id}/test`, undefined, 'POST')).toEqual({ delivered: false, status: 500, failure: 'status_500' })
    expect(await call(`/webhooks/${made.id}`)).toMatchObject({ cursor: made.cursor, failures: 0 })
  })
})

describe('delivery', () => {
  test('events are delivered once, in order, signed, and equal to the audit log', async () => {
    const { app, company, create, deliver } = await start()
    const receiver = await aReceiver()
    const { secret } = await create(receiver.url)
    await happen(app, company, 3)
    await happen(app, company, 1, 'user.created')
    await happen(app, company, 30)
    expect(await deliver()).toMatchObject({ delivered: 33, idle: 1 })
    expect(targets(receiver)).toEqual([...Array(3).keys(), ...Array(30).keys()].map((n) => `n${n}`))
    for (const message of receiver.received) expect(await fitsSignature(secret, message)).toBe(true)
    const [event] = (await app.events(company.tenantId)).filter(({ event }) => event === 'tenant.updated')
    const last = receiver.received.at(-1)
    expect(last?.headers).toMatchObject({ 'webhook-id': event?.id, 'content-type': 'application/json' })
    expect(JSON.parse(last?.body ?? '')).toEqual({
      type: 'tenant.updated',
      timestamp: event?.at.toISOString(),
      data: {
        id: event?.id,
        at: event?.at.toISOString(),
        event: 'tenant.updated',
        outcome: 'success',
        reason: null,
        actor: { type: 'system', id: null, client_id: null, session_id: null, on_behalf_of: null },
        target: { type: 'tenant', id: 'n29' },
        request_id: null,
        route: null,
        count: 1,
        before: null,
        after: { n: 29 },
        erased: false,
        damaged: false,
      },
    })
    app.clock.advance(1000)
    expect(await deliver()).toMatchObject({ delivered: 0, idle: 1 })
    expect(receiver.received).toHaveLength(33)
  })

  test('the origin of an event is sent only if include_origin is set', async () => {
    const { call, create, deliver } = await start()
    const [plain, asking] = [await aReceiver(), await aReceiver()]
    await create(plain.url, { events: ['webhook.updated'] })
    const { id } = await create(asking.url, { events: ['webhook.updated'], include_origin: true })
    await call(`/webhooks/${id}`, { description: 'x' }, 'PATCH')
    await deliver()
    expect(JSON.parse(asking.received[0]?.body ?? '').data).toMatchObject({ address: '192.0.2.1', user_agent: expect.any(String) })
    expect(JSON.parse(plain.received[0]?.body ?? '').data).not.toHaveProperty('address')
    expect(JSON.parse(plain.received[0]?.body ?? '').data).not.toHaveProperty('user_agent')
  })

  test('events of another tenant are not delivered', async () => {
    const { app, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url, { events: ['*'] })
    const globex = await app.company('globex')
    await happen(app, globex, 3)
    await deliver()
    expect(receiver.received.filter(({ body }) => body.includes('"n0"'))).toHaveLength(0)
  })

  test('an event younger than the margin waits and is delivered by a later run', async () => {
    const { app, company, create } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    await happen(app, company, 1)
    const ctx = { ...app.ctx, outbound: guardedFetch({ resolver: { resolve: async () => [] }, loopback: true }) }
    expect(await deliverDueWebhooks(ctx)).toMatchObject({ delivered: 0, waiting: 1 })
    app.clock.advance(3)
    expect(await deliverDueWebhooks(ctx)).toMatchObject({ delivered: 1, idle: 1 })
  })

  test('a rotation interrupts nothing: both signatures until the overlap ends, one afterwards', async () => {
    const { app, company, call, create, deliver } = await start()
    const receiver = await aReceiver()
    const made = await create(receiver.url)
    const rotated = await call<Hook & { secret: string }>(`/webhooks/${made.id}/secret`, { overlap_seconds: 3600 })
    expect(rotated.secret).not.toBe(made.secret)
    await happen(app, company, 1)
    await deliver()
    const during = receiver.received[0] ?? { headers: {}, body: '' }
    expect([await fitsSignature(made.secret, during), await fitsSignature(rotated.secret, during)]).toEqual([true, true])
    app.clock.advance(3600)
    await happen(app, company, 1)
    await deliver()
    const after = receiver.received[1] ?? { headers: {}, body: '' }
    expect([await fitsSignature(made.secret, after), await fitsSignature(rotated.secret, after)]).toEqual([false, true])
    await call(`/webhooks/${made.id}/secret`, { overlap_seconds: 0 })
    await happen(app, company, 1)
    await deliver()
    expect(await fitsSignature(rotated.secret, receiver.received[2] ?? { headers: {}, body: '' })).toBe(false)
  })

  test('a slow receiver does not delay the others', async () => {
    const { app, company, create } = await start()
    const [slow, ...others] = await Promise.all(Array.from({ length: 15 }, aReceiver))
    if (slow === undefined) throw new Error('a receiver was not created')
    for (const receiver of [slow, ...others]) await create(receiver.url)
    await happen(app, company, 2)
    // It responds after the others have everything.
    answerOnce(slow, () => others.every(({ received }) => received.length === 2))
    app.clock.advance(3)
    const patient = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 })
    expect(await deliverDueWebhooks({ ...app.ctx, outbound: patient })).toMatchObject({ delivered: 30, idle: 15, postponed: 0 })
  })

  test('a delivery that becomes due while a receiver is slow is processed', async () => {
    const { app, company, create } = await start()
    const globex = await app.company('globex')
    const [slow, later] = [await aReceiver(), await aReceiver()]
    await create(slow.url)
    await happen(app, company, 1)
    answerOnce(slow, () => later.received.length > 0)
    app.clock.advance(3)
    const patient = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 })
    let looks = 0
    const meanwhile = async (): Promise<void> => {
      looks += 1
      if (looks !== 2) return
      await atomically(forTenant(app.db, globex.tenantId), async (t) => {
        const [id, at] = [app.ctx.random.id(), new Date(app.clock.now().getTime() - 10_000)]
        const sealedSecret = await app.ctx.keyring.seal(t, t.tenantId, newWebhookSecret(app.ctx.random), secretContext(id))
        await insertWebhook(t, { id, url: later.url, events: ['*'], sealedSecret, cursor: lowestIdAt(new Date(0)), createdAt: at, updatedAt: at })
        await queueWebhook(t, { tenantId: t.tenantId, endpointId: id }, at)
      })
    }
    const counted = await deliverDueWebhooks({ ...app.ctx, outbound: patient }, meanwhile)
    expect(counted).toMatchObject({ postponed: 0 })
    expect(counted.delivered).toBeGreaterThan(1)
    expect(slow.received).toHaveLength(1)
  })

  test('a change of URL and secret during a delivery applies to the next message', async () => {
    const { app, company, call, create, deliver } = await start()
    const [old, fresh] = [await aReceiver(), await aReceiver()]
    const { id } = await create(old.url)
    await happen(app, company, 3)
    old.answerWith((_, response) => {
      app.clock.advance(1)
      void call(`/webhooks/${id}`, { url: fresh.url }, 'PATCH').then(() => response.writeHead(204).end())
    })
    app.clock.advance(3)
    await deliverDueWebhooks({ ...app.ctx, outbound: guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 }) })
    expect(old.received).toHaveLength(1)
    await deliver()
    expect(targets(fresh)).toEqual(['n0', 'n1', 'n2'])
  })

  test('a sender that lost its lease does not reset a position that another sender advanced', async () => {
    const { app, company, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    await happen(app, company, 2)
    const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 })
    let isFirst = true
    receiver.answerWith((_, response) => {
      const other = isFirst
      isFirst = false
      // The first message takes longer than the lease; meanwhile another sender delivers to the endpoint.
      if (other) app.clock.advance(61)
      void (other ? deliverDueWebhooks({ ...app.ctx, outbound }) : Promise.resolve()).then(() => response.writeHead(204).end())
    })
    app.clock.advance(3)
    await deliverDueWebhooks({ ...app.ctx, outbound })
    expect(targets(receiver)).toEqual(['n0', 'n0', 'n1'])
    app.clock.advance(1000)
    expect(await deliver()).toMatchObject({ delivered: 0, idle: 1 })
  })

  test('a replay sends everything after a position again, under the same ids', async () => {
    const { app, company, call, create, deliver } = await start()
    const receiver = await aReceiver()
    const { id } = await create(receiver.url)
    await happen(app, company, 4)
    await deliver()
    const [, second] = receiver.ids()
    expect(await call(`/webhooks/${id}/replay`, { after: second })).toMatchObject({ cursor: second })
    await deliver()
    expect(targets(receiver)).toEqual(['n0', 'n1', 'n2', 'n3', 'n2', 'n3'])
    expect(receiver.ids().slice(4)).toEqual(receiver.ids().slice(2, 4))
    for (const [at, from] of ['2026-01-01T00:00:00Z', '0001-01-01T00:00:00Z'].entries()) {
      await call(`/webhooks/${id}/replay`, { from })
      await deliver()
      expect(targets(receiver).slice(6 + 4 * at)).toEqual(['n0', 'n1', 'n2', 'n3'])
    }
  })

  test('a disabled webhook is not replayed', async () => {
    const { app, token, call, create } = await start()
    const { id } = await create('https://hooks.acme.com/')
    await call(`/webhooks/${id}`, { active: false }, 'PATCH')
    const response = await app.request(`/webhooks/${id}/replay`, { token, body: { from: '2026-01-01T00:00:00Z' } })
    expect(await response.json()).toMatchObject({ status: 409, code: 'webhook_disabled' })
  })
})

describe('a failing receiver', () => {
  const failing: readonly (readonly [string, Parameters<WebhookReceiver['answerWith']>[0], string, number | null])[] = [
    ['answers 500', (_, response) => response.writeHead(500).end(), 'status_500', 500],
    ['redirects', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'redirect', null],
    ['never answers', () => undefined, 'timeout', null],
    ['hangs up', (_, response) => response.destroy(), 'connection', null],
    ['responds without end', (_, response) => void response.write(Buffer.alloc(3 * 1024 * 1024)), 'too_large', null],
  ]
  test.each(failing)(
    'that %s is retried with increasing delay, and gets everything in order after it recovers',
    async (_, answer, failure, status) => {
      const { app, company, call, create, deliver } = await start()
      const receiver = await aReceiver()
      const { id } = await create(receiver.url)
      receiver.answerWith(answer)
      await happen(app, company, 2)
      expect(await deliver()).toMatchObject({ delivered: 0, postponed: 1 })
      expect(await deliver()).toMatchObject({ delivered: 0, postponed: 0 })
      app.clock.advance(10)
      expect(await deliver()).toMatchObject({ delivered: 0, postponed: 1 })
      expect(await call(`/webhooks/${id}`)).toMatchObject({ failures: 2, last_failure: failure, last_status: status, active: true })
      receiver.answerWith((_, response) => response.writeHead(200).end())
      app.clock.advance(60)
      expect(await deliver()).toMatchObject({ delivered: 2, idle: 1 })
      expect(targets(receiver)).toEqual(['n0', 'n0', 'n0', 'n1'])
      expect(new Set(receiver.ids().slice(0, 3)).size).toBe(1)
      expect(await call(`/webhooks/${id}`)).toMatchObject({ failures: 0, failing_since: null, last_failure: null, last_status: 200 })
    },
  )

  test('that is unreachable does not delay others', async () => {
    const { app, company, call, create, deliver } = await start()
    const [down, up] = [await aReceiver(), await aReceiver()]
    const { id } = await create(down.url)
    await create(up.url)
    down.close()
    await happen(app, company, 3)
    expect(await deliver()).toMatchObject({ delivered: 3, postponed: 1, idle: 1 })
    expect(targets(up)).toEqual(['n0', 'n1', 'n2'])
    expect(await call(`/webhooks/${id}`)).toMatchObject({ failures: 1, last_failure: 'connection' })
  })

  test('with a secret that cannot be decrypted does not delay others', async () => {
    const { app, company, call, create, deliver } = await start()
    const [spoilt, sound] = [await aReceiver(), await aReceiver()]
    const { id } = await create(spoilt.url)
    await create(sound.url)
    const text = `update authsec.webhook_endpoints set sealed_secret = sealed_secret || '\\x00' where id = $1`
    await forTenant(app.db, company.tenantId).run({ text, params: [id], arrays: true })
    await happen(app, company, 1)
    await deliver()
    expect([targets(spoilt), targets(sound)]).toEqual([[], ['n0']])
    expect(await call(`/webhooks/${id}`)).toMatchObject({ failures: 1, last_failure: 'secret_unreadable' })
  })

  test('can set the delay by Retry-After', async () => {
    const { app, company, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    receiver.answerWith((_, response) => response.writeHead(429, { 'retry-after': '600' }).end())
    await happen(app, company, 1)
    await deliver()
    app.clock.advance(590)
    expect(await deliver()).toMatchObject({ postponed: 0 })
    app.clock.advance(10)
    expect(await deliver()).toMatchObject({ postponed: 1 })
  })

  test('is disabled after three days, its administrators are notified, and delivery resumes where it stopped when it is enabled', async () => {
    const { app, company, call, create, deliver } = await start()
    const receiver = await aReceiver()
    const { id } = await create(receiver.url, { description: 'to the SIEM' })
    receiver.answerWith((_, response) => response.writeHead(503).end())
    await happen(app, company, 1)
    for (let hours = 0; hours < 71; hours += 7) {
      await deliver()
      app.clock.advance(7 * 3600)
    }
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: true })
    app.clock.advance(3600)
    expect(await deliver()).toMatchObject({ disabled: 1 })
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: false, disabled_reason: 'failing', last_status: 503 })
    const [mail] = (await app.mailsTo(company.admin.email)).filter(({ subject }) => subject.includes('webhook'))
    expect(mail?.text).toContain('to the SIEM')
    const disabledEvents = (await app.events(company.tenantId)).filter(({ event }) => event === 'webhook.disabled')
    expect(disabledEvents).toHaveLength(1)
    expect(disabledEvents[0]).toMatchObject({ reason: 'failing', targetId: id, actorType: 'system' })
    app.clock.advance(86_400)
    const tried = receiver.received.length
    expect(await deliver()).toMatchObject({ delivered: 0, postponed: 0 })
    expect(receiver.received).toHaveLength(tried)
    receiver.answerWith((_, response) => response.writeHead(200).end())
    await call(`/webhooks/${id}`, { active: true }, 'PATCH')
    expect(await deliver()).toMatchObject({ delivered: 1 })
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: true, disabled_reason: null })
  })

  test('is not retried earlier because of new events, but is again served at once after it recovers', async () => {
    const { app, company, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    const hastened = () => expediteWebhooks(directory(app.db), company.tenantId, app.clock.now())
    expect(await hastened()).toBe(1)
    receiver.answerWith((_, response) => response.writeHead(500).end())
    await happen(app, company, 1)
    expect(await deliver()).toMatchObject({ postponed: 1 })
    expect(await hastened()).toBe(0)
    receiver.answerWith((_, response) => response.writeHead(204).end())
    app.clock.advance(10)
    expect(await deliver()).toMatchObject({ delivered: 1 })
    expect(await hastened()).toBe(1)
  })

  test('that answers 410 is disabled', async () => {
    const { app, company, call, create, deliver } = await start()
    const receiver = await aReceiver()
    const { id } = await create(receiver.url)
    receiver.answerWith((_, response) => response.writeHead(410).end())
    await happen(app, company, 1)
    expect(await deliver()).toMatchObject({ disabled: 1 })
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: false, disabled_reason: 'gone' })
  })
})
