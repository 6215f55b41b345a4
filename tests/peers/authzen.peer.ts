// An enforcement point written only from OpenID AuthZEN 1.0: it has the address of the decision point and its own credentials.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putRole, putServiceAccount } from '#db/testing/access'
import { newOauthClient } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const INVOICE = { type: 'invoice', id: 'dddddddd-0000-4000-8000-000000000001' } as const
type Said = Readonly<Record<string, unknown>>

let server: AuthorizationServer
let authorization: string
let subject: { readonly type: 'service_account'; readonly id: string }
let metadata: Said
beforeAll(async () => {
  server = await startAuthorizationServer()
  const { ctx, db } = server.where
  const at = ctx.clock.now()
  const id = await atomically(forTenant(db, server.company.tenantId), async (t) => {
    const account = await putServiceAccount(t, 'reader of invoices', at)
    await putBinding(t, await putRole(t, 'reader', ['invoice:read'], at), { serviceAccountId: account }, at)
    await putRole(t, 'approver', ['invoice:approve'], at)
    return account
  })
  subject = { type: 'service_account', id }
  authorization = (await newOauthClient(server.where, server.company, { permissions: ['policy:check'] })).authorization
  metadata = (await (await unmetChecks(`${server.issuer}/.well-known/authzen-configuration`)).json()) as Said
})
afterAll(() => server?.stop())

/** Calls the endpoint that the metadata names. */
const ask = async (endpoint: string, body: unknown, headers: Readonly<Record<string, string>> = { authorization }) => {
  const sent = { 'content-type': 'application/json', ...headers }
  const response = await unmetChecks(String(metadata[endpoint]), { method: 'POST', headers: sent, body: JSON.stringify(body) })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Said }
}
const may = async (name: string): Promise<unknown> =>
  (await ask('access_evaluation_endpoint', { subject, action: { name }, resource: INVOICE })).body.decision

test('smoke: the metadata names this decision point and its endpoints', () => {
  expect(metadata.policy_decision_point).toBe(server.issuer)
  const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint'))
  expect(endpoints.map(([name]) => name)).toEqual(expect.arrayContaining(['access_evaluation_endpoint', 'access_evaluations_endpoint']))
  for (const [, address] of endpoints) expect(new URL(String(address)).origin).toBe(server.issuer)
})

test('smoke: one question returns one decision', async () => {
  expect(await may('read')).toBe(true)
  expect(await may('approve')).toBe(false)
})

test('a batch shares defaults, is answered in order, and stops where requested', async () => {
  const evaluations = ['read', 'approve', 'read'].map((name) => ({ action: { name } }))
  const decisions = async (evaluations_semantic: string): Promise<unknown> => {
    const { status, body } = await ask('access_evaluations_endpoint', { subject, resource: INVOICE, evaluations, options: { evaluations_semantic } })
    expect(status).toBe(200)
    return (body.evaluations as readonly Said[]).map(({ decision }) => decision)
  }
  expect(await decisions('execute_all')).toEqual([true, false, true])
  expect(await decisions('deny_on_first_deny')).toEqual([true, false])
  expect(await decisions('permit_on_first_permit')).toEqual([true])
})

test('searches return what evaluations allow', async () => {
  const actions = await ask('search_action_endpoint', { subject, resource: INVOICE })
  expect(actions.body.results).toEqual([{ name: 'read' }])
  const subjects = await ask('search_subject_endpoint', { subject: { type: 'service_account' }, action: { name: 'read' }, resource: INVOICE })
  expect(subjects.body.results).toEqual([subject])
})

test('the response repeats the request id; without credentials, or with an incomplete question, there is no decision', async () => {
  const id = 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716'
  const question = { subject, action: { name: 'read' }, resource: INVOICE }
  const request = await ask('access_evaluation_endpoint', question, { authorization, 'x-request-id': id })
  expect(request.headers.get('x-request-id')).toBe(id)
  const stranger = await ask('access_evaluation_endpoint', question, {})
  expect(stranger.status).toBe(401)
  expect(stranger.body).not.toHaveProperty('decision')
  const half = await ask('access_evaluation_endpoint', { subject, resource: INVOICE })
  expect(half.status).toBe(400)
  expect(half.body).not.toHaveProperty('decision')
})
