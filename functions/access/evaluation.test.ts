// Asking for decisions over HTTP: who may ask, in what shapes, and what a bad question gets.
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { updateClient } from '#db/store/clients'
import { removeBinding } from '#db/testing/access'
import { NOT_GRANTED } from '#shared/domains/decision/decide-for'
import { createPolicies, type Policies } from '#shared/domains/decision/policies'
import type { RequestInfo } from '#shared/kernel/context'
import type { Client } from '#shared/platform/principals/principal'
import { type AccessWorld, accessWorld, ask, changePolicy, INVOICE, invoice, OTHER_INVOICE, user } from '#tests/support/access-world'
import { newBackend } from '#tests/support/backend'
import { evaluateWhich } from './evaluation.ts'
import { accessRoutes } from './routes.ts'

let w: AccessWorld
beforeAll(async () => {
  w = await accessWorld(accessRoutes)
})

const decision = async (body: unknown, authorization?: string): Promise<boolean | number> => {
  const answer = await w.post('evaluation', body, authorization)
  return answer.status === 200 ? (answer.body as { decision: boolean }).decision : answer.status
}

describe('evaluation', () => {
  test('allows with binding and role, denies with one reason for everything', async () => {
    const allowed = await w.post('evaluation', ask(user(w.pat), 'read'))
    expect(allowed).toMatchObject({ status: 200, body: { decision: true, context: { reason: `Granted by role binding ${w.wide} (role reader).` } } })
    expect(allowed.headers.get('x-request-id')).toBe('bfe9eb29-ab87-4ca3-be83-a1d5d8305716')
    const denials = [
      ask(user(w.pat), 'approve'),
      ask(user(w.sam), 'write'),
      ask(user(w.pat), 'write', invoice(OTHER_INVOICE)),
      ask(user(w.pat), 'write', invoice('invoice-7')),
      ask(user({ id: w.app.ctx.random.id() }), 'read'),
      ask({ type: 'user', id: 'pat@acme.example' }, 'read'),
      ask({ type: 'robot', id: w.pat.id }, 'read'),
      ask({ type: 'service_account', id: w.pat.id }, 'read'),
      ask(user(w.pat), 'read', { type: 'spaceship', id: INVOICE }),
    ]
    for (const body of denials)
      expect(await w.post('evaluation', body)).toMatchObject({ status: 200, body: { decision: false, context: { reason: NOT_GRANTED } } })
  })

  test('a scope that is named is the resource; ids in any letter case', async () => {
    expect(await decision(ask(user({ id: w.pat.id.toUpperCase() }), 'write', invoice(INVOICE.toUpperCase())))).toBe(true)
    expect(await decision(ask(user(w.sam), 'read', invoice('anything at all')))).toBe(true)
  })

  test('conditions are judged by what the asker says, and deny where he says nothing', async () => {
    expect(await decision(ask(user(w.pat), 'delete'))).toBe(false)
    expect(await decision(ask(user(w.pat), 'delete', invoice(), { context: { mfa: false } }))).toBe(false)
    expect(await decision(ask(user(w.pat), 'delete', invoice(), { context: { mfa: true, weather: 'fine' } }))).toBe(true)
  })

  test('a person may ask about himself, and is judged by his own session whatever he writes', async () => {
    const [weak, strong] = [await w.app.token(w.pat), await w.app.token(w.pat, ['pwd', 'otp', 'mfa'])]
    expect(await decision(ask(user(w.pat), 'read'), `Bearer ${weak}`)).toBe(true)
    expect(await decision(ask(user(w.pat), 'delete', invoice(), { context: { mfa: true } }), `Bearer ${weak}`)).toBe(false)
    expect(await decision(ask(user(w.pat), 'delete', invoice(), { context: { mfa: false } }), `Bearer ${strong}`)).toBe(true)
  })

  test('about others only with policy:check', async () => {
    const checker = await w.app.person(w.company, ['policy:check'])
    expect(await decision(ask(user(w.pat), 'read'), await w.signedIn(w.sam))).toBe(403)
    expect(await decision(ask(user({ id: 'nobody' }), 'read'), await w.signedIn(w.sam))).toBe(403)
    expect(await decision(ask(user(w.pat), 'read'), await w.signedIn(checker))).toBe(true)
    const powerless = await newBackend(w.app, w.company, ['policy:read'])
    expect(await decision(ask(user(w.pat), 'read'), powerless.authorization)).toBe(403)
  })

  test('a client asks by HTTP Basic only if it is registered for that', async () => {
    const own = await newBackend(w.app, w.company, ['policy:check'])
    const registered = async (set: Parameters<typeof updateClient>[2]): Promise<boolean | number> => {
      await atomically(forTenant(w.app.db, w.company.tenantId), (t) => updateClient(t, own.clientId, set))
      return decision(ask(user(w.pat), 'read'), own.authorization)
    }
    expect(await registered({ tokenEndpointAuthMethod: null })).toBe(true)
    expect(await registered({ tokenEndpointAuthMethod: 'client_secret_post' })).toBe(401)
    expect(await registered({ tokenEndpointAuthMethod: 'private_key_jwt' })).toBe(401)
    expect(await registered({ tokenEndpointAuthMethod: 'client_secret_basic' })).toBe(true)
    expect(await registered({ isPublic: true })).toBe(401)
    expect(await registered({ isPublic: false })).toBe(true)
  })

  test("another tenant's people are nobody", async () => {
    const globex = await w.app.company('globex')
    const theirs = await newBackend(w.app, globex, ['policy:check', 'invoice:read'])
    expect(await decision(ask(user(w.pat), 'read'), theirs.authorization)).toBe(false)
  })

  test.each([
    ['body.subject', { action: { name: 'read' }, resource: invoice() }],
    ['body.action.name', { subject: { type: 'user', id: '1' }, action: {}, resource: invoice() }],
    ['body.resource.id', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: { type: 'invoice' } }],
    ['body.context.mfa', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: invoice(), context: { mfa: 'yes' } }],
    ['body.context.ip', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: invoice(), context: { ip: 'home' } }],
  ])('%s malformed is 400', async (field, body) => {
    expect(await w.post('evaluation', body)).toMatchObject({ status: 400, body: { code: 'invalid_request', field } })
  })

  test('a revoked binding stops the next decision', async () => {
    const own = await accessWorld(accessRoutes)
    const authorization = own.backend.authorization
    const may = async (): Promise<unknown> => {
      const response = await own.app.request('/access/v1/evaluation', { body: ask(user(own.pat), 'read'), headers: { authorization } })
      return ((await response.json()) as { decision: boolean }).decision
    }
    expect(await may()).toBe(true)
    await changePolicy(own.app, own.company, (t) => removeBinding(t, own.wide))
    expect(await may()).toBe(false)
  })
})

describe('evaluations', () => {
  const all = (body: object, authorization?: string) => w.post('evaluations', body, authorization)
  const three = [{ action: { name: 'write' } }, { resource: invoice(OTHER_INVOICE), action: { name: 'write' } }, {}]
  const defaults = { action: { name: 'read' }, resource: invoice() }
  const decisions = async (semantic: string | undefined): Promise<boolean[]> => {
    const options = semantic === undefined ? {} : { options: { evaluations_semantic: semantic, another_option: 1 } }
    const { body } = await all({ ...defaults, subject: user(w.pat), evaluations: three, ...options })
    return (body as { evaluations: { decision: boolean }[] }).evaluations.map((one) => one.decision)
  }

  test('defaults are merged in, whole members at a time; the three semantics', async () => {
    expect(await decisions(undefined)).toEqual([true, false, true])
    expect(await decisions('execute_all')).toEqual([true, false, true])
    expect(await decisions('deny_on_first_deny')).toEqual([true, false])
    expect(await decisions('permit_on_first_permit')).toEqual([true])
    expect(await all({ ...defaults, evaluations: three, options: { evaluations_semantic: 'all' } })).toMatchObject({ status: 400 })
  })

  test('without questions it is a single one', async () => {
    for (const body of [ask(user(w.pat), 'read'), { ...ask(user(w.pat), 'read'), evaluations: [] }]) {
      expect((await all(body)).body).toEqual({ decision: true, context: { reason: `Granted by role binding ${w.wide} (role reader).` } })
    }
    expect(await all({ action: { name: 'read' } })).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'body.subject' } })
  })

  test('a bad question is marked and denied, and the others are answered', async () => {
    const { status, body } = await all({
      ...defaults,
      subject: user(w.pat),
      evaluations: [{}, { action: { name: 7 } }, { resource: 7 }, null, 7, [], {}],
    })
    expect(status).toBe(200)
    const { evaluations } = body as { evaluations: { decision: boolean; context: { error?: { status: number; message: string } } }[] }
    expect(evaluations.map((one) => one.decision)).toEqual([true, false, false, false, false, false, true])
    expect(evaluations.map((one) => one.context.error?.status)).toEqual([undefined, 400, 400, 400, 400, 400, undefined])
    expect(evaluations[1]?.context.error?.message).toMatch(/^action\.name: /)
  })

  test('a person without policy:check is answered about himself, and refused about others, question by question', async () => {
    const { body } = await all({ ...defaults, evaluations: [{ subject: user(w.pat) }, { subject: user(w.sam) }] }, await w.signedIn(w.pat))
    const { evaluations } = body as { evaluations: { decision: boolean; context: { error?: { status: number } } }[] }
    expect(evaluations.map((one) => [one.decision, one.context.error?.status])).toEqual([
      [true, undefined],
      [false, 403],
    ])
  })

  test('a default may be part of an entity: a question adds what is missing, and replaces the rest', async () => {
    const { status, body } = await all({
      subject: { ...user(w.pat), properties: { seen: true } },
      action: { name: 'write' },
      resource: { type: 'invoice' },
      evaluations: [{ resource: { id: INVOICE } }, { resource: { id: OTHER_INVOICE } }, { resource: { type: 'spaceship', id: INVOICE } }, {}],
    })
    expect(status).toBe(200)
    const { evaluations } = body as { evaluations: { decision: boolean; context: { error?: { status: number } } }[] }
    expect(evaluations.map((one) => one.decision)).toEqual([true, false, false, false])
    expect(evaluations[3]?.context.error?.status).toBe(400)
  })

  test('a batch that takes long lets others in, and what they change counts for the questions after them', async () => {
    const own = await accessWorld(accessRoutes)
    // Each look at the clock takes eleven milliseconds; after some of them the binding is taken away.
    let looks = 0
    let changing: Promise<unknown> | undefined
    const elapsed = (): number => {
      looks += 1
      if (looks === 50) changing = changePolicy(own.app, own.company, (t) => removeBinding(t, own.wide))
      return looks * 11
    }
    const known = createPolicies({ db: own.app.db, clock: own.app.clock })
    const policies: Policies = { load: async (...asked) => changing?.then(() => known.load(...asked)) ?? known.load(...asked) }
    const ctx = { clock: { now: () => own.app.clock.now(), elapsed }, policies, request: { address: '192.0.2.1' } as RequestInfo }
    const caller = { kind: 'client', tenantId: own.company.tenantId, permissions: new Set(['policy:check']) } as unknown as Client
    const { which } = await evaluateWhich(ctx, caller, { evaluations: Array.from({ length: 1000 }, () => ask(user(own.pat), 'read')) })
    expect(which.length).toBeGreaterThan(0)
    expect(which.length).toBeLessThan(1000)
    expect(which).toEqual([...which.keys()])
  })

  test('a thousand questions are answered, one more is 400', async () => {
    const questions = Array.from({ length: 1000 }, () => ({ subject: user({ id: w.app.ctx.random.id() }) }))
    const { body } = await all({ ...defaults, evaluations: [...questions.slice(1), { subject: user(w.pat) }] })
    const { evaluations } = body as { evaluations: { decision: boolean }[] }
    expect(evaluations.map((one) => one.decision)).toEqual([...Array<boolean>(999).fill(false), true])
    expect(await all({ ...defaults, evaluations: [...questions, {}] })).toMatchObject({ status: 400, body: { field: 'body.evaluations' } })
  })
})
