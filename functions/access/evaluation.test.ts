// The evaluation endpoints: who may call them, which shapes they accept, and how malformed questions are answered.
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { updateClientIdentity } from '#db/store/clients'
import { removeBinding } from '#db/testing/access'
import { NOT_GRANTED } from '#shared/domains/decision/decide-for'
import { createPolicies, type Policies } from '#shared/domains/decision/policies'
import type { RequestInfo } from '#shared/kernel/context'
import type { Client } from '#shared/platform/principals/principal'
import { type AccessWorld, accessWorld, changePolicy, evaluationRequest, INVOICE, invoice, OTHER_INVOICE, user } from '#tests/support/access-world'
import { newBackend } from '#tests/support/backend'
import { evaluateAllowedSubset } from './evaluation.ts'
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
  test('allows through a binding and its role; every denial has the same reason', async () => {
    const allowed = await w.post('evaluation', evaluationRequest(user(w.pat), 'read'))
    expect(allowed).toMatchObject({ status: 200, body: { decision: true, context: { reason: `Granted by role binding ${w.wide} (role reader).` } } })
    expect(allowed.headers.get('x-request-id')).toBe('bfe9eb29-ab87-4ca3-be83-a1d5d8305716')
    const denials = [
      evaluationRequest(user(w.pat), 'approve'),
      evaluationRequest(user(w.sam), 'write'),
      evaluationRequest(user(w.pat), 'write', invoice(OTHER_INVOICE)),
      evaluationRequest(user(w.pat), 'write', invoice('invoice-7')),
      evaluationRequest(user({ id: w.app.ctx.random.id() }), 'read'),
      evaluationRequest({ type: 'user', id: 'pat@acme.example' }, 'read'),
      evaluationRequest({ type: 'robot', id: w.pat.id }, 'read'),
      evaluationRequest({ type: 'service_account', id: w.pat.id }, 'read'),
      evaluationRequest(user(w.pat), 'read', { type: 'spaceship', id: INVOICE }),
    ]
    for (const body of denials)
      expect(await w.post('evaluation', body)).toMatchObject({ status: 200, body: { decision: false, context: { reason: NOT_GRANTED } } })
  })

  test('the resource is the scope of a binding; ids match in any letter case', async () => {
    expect(await decision(evaluationRequest(user({ id: w.pat.id.toUpperCase() }), 'write', invoice(INVOICE.toUpperCase())))).toBe(true)
    expect(await decision(evaluationRequest(user(w.sam), 'read', invoice('anything at all')))).toBe(true)
  })

  test('conditions are evaluated on the context that the caller sends; a missing context denies', async () => {
    expect(await decision(evaluationRequest(user(w.pat), 'delete'))).toBe(false)
    expect(await decision(evaluationRequest(user(w.pat), 'delete', invoice(), { context: { mfa: false } }))).toBe(false)
    expect(await decision(evaluationRequest(user(w.pat), 'delete', invoice(), { context: { mfa: true, weather: 'fine' } }))).toBe(true)
  })

  test('people may ask about themselves; their session is the context, not what they send', async () => {
    const [weak, strong] = [await w.app.token(w.pat), await w.app.token(w.pat, ['pwd', 'otp', 'mfa'])]
    expect(await decision(evaluationRequest(user(w.pat), 'read'), `Bearer ${weak}`)).toBe(true)
    expect(await decision(evaluationRequest(user(w.pat), 'delete', invoice(), { context: { mfa: true } }), `Bearer ${weak}`)).toBe(false)
    expect(await decision(evaluationRequest(user(w.pat), 'delete', invoice(), { context: { mfa: false } }), `Bearer ${strong}`)).toBe(true)
  })

  test('asking about others needs policy:check', async () => {
    const checker = await w.app.person(w.company, ['policy:check'])
    expect(await decision(evaluationRequest(user(w.pat), 'read'), await w.signedIn(w.sam))).toBe(403)
    expect(await decision(evaluationRequest(user({ id: 'unknown' }), 'read'), await w.signedIn(w.sam))).toBe(403)
    expect(await decision(evaluationRequest(user(w.pat), 'read'), await w.signedIn(checker))).toBe(true)
    const powerless = await newBackend(w.app, w.company, ['policy:read'])
    expect(await decision(evaluationRequest(user(w.pat), 'read'), powerless.authorization)).toBe(403)
  })

  test('a client authenticates with HTTP Basic only when it is registered for client_secret_basic', async () => {
    const own = await newBackend(w.app, w.company, ['policy:check'])
    const registered = async (set: Parameters<typeof updateClientIdentity>[2]): Promise<boolean | number> => {
      await atomically(forTenant(w.app.db, w.company.tenantId), (t) => updateClientIdentity(t, own.clientId, set))
      return decision(evaluationRequest(user(w.pat), 'read'), own.authorization)
    }
    expect(await registered({ tokenEndpointAuthMethod: null })).toBe(true)
    expect(await registered({ tokenEndpointAuthMethod: 'client_secret_post' })).toBe(401)
    expect(await registered({ tokenEndpointAuthMethod: 'private_key_jwt' })).toBe(401)
    expect(await registered({ tokenEndpointAuthMethod: 'client_secret_basic' })).toBe(true)
    expect(await registered({ isPublic: true })).toBe(401)
    expect(await registered({ isPublic: false })).toBe(true)
  })

  test('people of another tenant are unknown', async () => {
    const globex = await w.app.company('globex')
    const theirs = await newBackend(w.app, globex, ['policy:check', 'invoice:read'])
    expect(await decision(evaluationRequest(user(w.pat), 'read'), theirs.authorization)).toBe(false)
  })

  test.each([
    ['body.subject', { action: { name: 'read' }, resource: invoice() }],
    ['body.action.name', { subject: { type: 'user', id: '1' }, action: {}, resource: invoice() }],
    ['body.resource.id', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: { type: 'invoice' } }],
    ['body.context.mfa', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: invoice(), context: { mfa: 'yes' } }],
    ['body.context.ip', { subject: { type: 'user', id: '1' }, action: { name: 'a' }, resource: invoice(), context: { ip: 'home' } }],
  ])('a malformed %s is 400', async (field, body) => {
    expect(await w.post('evaluation', body)).toMatchObject({ status: 400, body: { code: 'invalid_request', field } })
  })

  test('a revoked binding denies the next decision', async () => {
    const own = await accessWorld(accessRoutes)
    const authorization = own.backend.authorization
    const may = async (): Promise<unknown> => {
      const response = await own.app.request('/access/v1/evaluation', { body: evaluationRequest(user(own.pat), 'read'), headers: { authorization } })
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

  test('defaults fill in whole members; all three evaluation semantics work', async () => {
    expect(await decisions(undefined)).toEqual([true, false, true])
    expect(await decisions('execute_all')).toEqual([true, false, true])
    expect(await decisions('deny_on_first_deny')).toEqual([true, false])
    expect(await decisions('permit_on_first_permit')).toEqual([true])
    expect(await all({ ...defaults, evaluations: three, options: { evaluations_semantic: 'all' } })).toMatchObject({ status: 400 })
  })

  test('a batch without questions is a single evaluation', async () => {
    for (const body of [evaluationRequest(user(w.pat), 'read'), { ...evaluationRequest(user(w.pat), 'read'), evaluations: [] }]) {
      expect((await all(body)).body).toEqual({ decision: true, context: { reason: `Granted by role binding ${w.wide} (role reader).` } })
    }
    expect(await all({ action: { name: 'read' } })).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'body.subject' } })
  })

  test('a malformed question is marked and denied, and the others are decided', async () => {
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

  test('people without policy:check get decisions about themselves and 403 about others, per question', async () => {
    const { body } = await all({ ...defaults, evaluations: [{ subject: user(w.pat) }, { subject: user(w.sam) }] }, await w.signedIn(w.pat))
    const { evaluations } = body as { evaluations: { decision: boolean; context: { error?: { status: number } } }[] }
    expect(evaluations.map((one) => [one.decision, one.context.error?.status])).toEqual([
      [true, undefined],
      [false, 403],
    ])
  })

  test('a default may be a partial entity; a question completes or replaces it', async () => {
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

  test('a long batch yields to other requests and uses the changed policy for the remaining questions', async () => {
    const own = await accessWorld(accessRoutes)
    // Each clock reading takes 11 ms. The binding is removed at the fiftieth.
    let readings = 0
    let changing: Promise<unknown> | undefined
    const elapsed = (): number => {
      readings += 1
      if (readings === 50) changing = changePolicy(own.app, own.company, (t) => removeBinding(t, own.wide))
      return readings * 11
    }
    const known = createPolicies({ db: own.app.db, clock: own.app.clock })
    const policies: Policies = { load: async (...args) => changing?.then(() => known.load(...args)) ?? known.load(...args) }
    const ctx = { clock: { now: () => own.app.clock.now(), elapsed }, policies, request: { address: '192.0.2.1' } as RequestInfo }
    const caller = { kind: 'client', tenantId: own.company.tenantId, permissions: new Set(['policy:check']) } as unknown as Client
    const { which } = await evaluateAllowedSubset(ctx, caller, {
      evaluations: Array.from({ length: 1000 }, () => evaluationRequest(user(own.pat), 'read')),
    })
    expect(which.length).toBeGreaterThan(0)
    expect(which.length).toBeLessThan(1000)
    expect(which).toEqual([...which.keys()])
  })

  test('decides 1,000 questions; 1,001 is 400', async () => {
    const questions = Array.from({ length: 1000 }, () => ({ subject: user({ id: w.app.ctx.random.id() }) }))
    const { body } = await all({ ...defaults, evaluations: [...questions.slice(1), { subject: user(w.pat) }] })
    const { evaluations } = body as { evaluations: { decision: boolean }[] }
    expect(evaluations.map((one) => one.decision)).toEqual([...Array<boolean>(999).fill(false), true])
    expect(await all({ ...defaults, evaluations: [...questions, {}] })).toMatchObject({ status: 400, body: { field: 'body.evaluations' } })
  })
})
