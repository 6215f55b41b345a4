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

// A sender serves whatever is due, of whatever test: so these have a database of their own.
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
    // The clock moves by days, and sessions end.
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
  /** What is old enough is delivered. */
  const deliver = async () => {
    app.clock.advance(3)
    return deliverDueWebhooks({ ...app.ctx, outbound })
  }
  return { app, company, token, call, create, deliver }
}
type Hook = { readonly id: string; readonly cursor: string } & Readonly<Record<string, unknown>>

/** Events n0, n1, ... in one transaction each. */
const happen = async (app: TestApp, company: Company, count: number, event: 'tenant.updated' | 'user.created' = 'tenant.updated'): Promise<void> => {
  for (let n = 0; n < count; n++) {
    app.clock.advance(1)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      recordEvent(t, app.ctx, { event, actor: bySystem, target: { type: 'tenant', id: `n${n}` }, after: { n } }),
    )
  }
}
/** It lets one wait until then. */
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
  test('a webhook is created with a secret that is shown once, changed, and deleted, and the record tells', async () => {
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

  test('neither the secret nor its bytes lie in the database in clear', async () => {
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

  test('an event that does not exist, none at all, and members that nobody knows are refused', async () => {
    const { app, token } = await start()
    for (const body of [
      { url: 'https://hooks.acme.com/', events: [] },
      { url: 'https://hooks.acme.com/', events: ['no.such'] },
      { url: 'https://hooks.acme.com/', events: ['*'], secret: 'mine' },
    ])
      expect(await (await app.request('/webhooks', { token, body })).json()).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('a tenant has at most twenty, and a deleted one makes room', async () => {
    const { app, token, call, create } = await start()
    const first = await create('https://hooks.acme.com/')
    for (let n = 1; n < 20; n++) await create('https://hooks.acme.com/')
    const more = () => app.request('/webhooks', { token, body: { url: 'https://hooks.acme.com/', events: ['*'] } })
    expect(await (await more()).json()).toMatchObject({ status: 409, code: 'webhook_limit' })
    await call(`/webhooks/${first.id}`, undefined, 'DELETE')
    expect((await more()).status).toBe(201)
  })

  test('a test message tells how it went, and changes nothing', async () => {
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
  test('what the endpoint asked for arrives once, in order, signed, as the record shows it', async () => {
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

  test('from where it came is told only to who asked', async () => {
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

  test('events of another tenant go nowhere near', async () => {
    const { app, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url, { events: ['*'] })
    const globex = await app.company('globex')
    await happen(app, globex, 3)
    await deliver()
    expect(receiver.received.filter(({ body }) => body.includes('"n0"'))).toHaveLength(0)
  })

  test('an event that is younger than the margin waits, and is looked at again by itself', async () => {
    const { app, company, create } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    await happen(app, company, 1)
    const ctx = { ...app.ctx, outbound: guardedFetch({ resolver: { resolve: async () => [] }, loopback: true }) }
    expect(await deliverDueWebhooks(ctx)).toMatchObject({ delivered: 0, waiting: 1 })
    app.clock.advance(3)
    expect(await deliverDueWebhooks(ctx)).toMatchObject({ delivered: 1, idle: 1 })
  })

  test('a rotation is felt by nobody: both signatures until the overlap ends, one afterwards', async () => {
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

  test('a receiver that lets one wait keeps no other from what it is owed', async () => {
    const { app, company, create } = await start()
    const [slow, ...others] = await Promise.all(Array.from({ length: 15 }, aReceiver))
    if (slow === undefined) throw new Error('receivers were made')
    for (const receiver of [slow, ...others]) await create(receiver.url)
    await happen(app, company, 2)
    // It answers once everybody else has everything.
    answerOnce(slow, () => others.every(({ received }) => received.length === 2))
    app.clock.advance(3)
    const patient = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 })
    expect(await deliverDueWebhooks({ ...app.ctx, outbound: patient })).toMatchObject({ delivered: 30, idle: 15, postponed: 0 })
  })

  test('what falls due while one lets itself be waited for is looked at', async () => {
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

  test('what was changed while something was sent counts for the next message: address and secret', async () => {
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

  test('a sender that lost its lease sets nothing back that another has moved on', async () => {
    const { app, company, create, deliver } = await start()
    const receiver = await aReceiver()
    await create(receiver.url)
    await happen(app, company, 2)
    const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 60_000 })
    let isFirst = true
    receiver.answerWith((_, response) => {
      const other = isFirst
      isFirst = false
      // The first message takes longer than the lease; meanwhile another sender serves the endpoint.
      if (other) app.clock.advance(61)
      void (other ? deliverDueWebhooks({ ...app.ctx, outbound }) : Promise.resolve()).then(() => response.writeHead(204).end())
    })
    app.clock.advance(3)
    await deliverDueWebhooks({ ...app.ctx, outbound })
    expect(targets(receiver)).toEqual(['n0', 'n0', 'n1'])
    app.clock.advance(1000)
    expect(await deliver()).toMatchObject({ delivered: 0, idle: 1 })
  })

  test('from a position everything comes again, under the same ids', async () => {
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

describe('a receiver that fails', () => {
  const failing: readonly (readonly [string, Parameters<WebhookReceiver['answerWith']>[0], string, number | null])[] = [
    ['answers 500', (_, response) => response.writeHead(500).end(), 'status_500', 500],
    ['redirects', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'redirect', null],
    ['never answers', () => undefined, 'timeout', null],
    ['hangs up', (_, response) => response.destroy(), 'connection', null],
    ['talks without end', (_, response) => void response.write(Buffer.alloc(3 * 1024 * 1024)), 'too_large', null],
  ]
  test.each(failing)(
    'one that %s is tried again with growing delay, and gets everything in order when it is back',
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

  test('one that is down holds up no other', async () => {
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

  test('a secret that does not open holds up no other', async () => {
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

  test('Retry-After is kept to', async () => {
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

  test('one that fails for three days is disabled, its administrators are told, and enabled it goes on where it stopped', async () => {
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
    const told = (await app.events(company.tenantId)).filter(({ event }) => event === 'webhook.disabled')
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ reason: 'failing', targetId: id, actorType: 'system' })
    app.clock.advance(86_400)
    const tried = receiver.received.length
    expect(await deliver()).toMatchObject({ delivered: 0, postponed: 0 })
    expect(receiver.received).toHaveLength(tried)
    receiver.answerWith((_, response) => response.writeHead(200).end())
    await call(`/webhooks/${id}`, { active: true }, 'PATCH')
    expect(await deliver()).toMatchObject({ delivered: 1 })
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: true, disabled_reason: null })
  })

  test('what happens meanwhile brings nothing forward for one that fails, and does again once it is back', async () => {
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

  test('410 means that it wants no more', async () => {
    const { app, company, call, create, deliver } = await start()
    const receiver = await aReceiver()
    const { id } = await create(receiver.url)
    receiver.answerWith((_, response) => response.writeHead(410).end())
    await happen(app, company, 1)
    expect(await deliver()).toMatchObject({ disabled: 1 })
    expect(await call(`/webhooks/${id}`)).toMatchObject({ active: false, disabled_reason: 'gone' })
  })
})
