import { describe, expect, test } from 'vitest'
import { CIBA } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import type { Company, Person, TestApp } from '#tests/support/app'
import { answerCibaRequest, newCibaClient, newPhone, pollCiba, requestCiba, startCiba } from '#tests/support/ciba'
import { DISGUISED } from '#tests/support/grants'
import { claimsOf, type Json, newOauthClient, newResource, type OauthTestClient, postForm } from '#tests/support/oauth'
import { unchanged } from '#tests/support/rows'
import { cibaRoutes } from '../ciba/routes.ts'
import { clientsRoutes } from '../clients/routes.ts'
import { oauthRoutes } from './routes.ts'

const GRANTS = ['refresh_token', CIBA]
const start = async () => {
  const { app, push } = await startCiba([...oauthRoutes, ...cibaRoutes, ...clientsRoutes], { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'a' }])
  const client = await newOauthClient(app, company, { at: [server], grantTypes: GRANTS })
  const phone = await newPhone(app, await app.person(company))
  return { app, push, company, server, client, phone, pat: phone.person }
}
type Form = Readonly<Record<string, string | undefined>>
const begin = (app: TestApp, client: OauthTestClient, form: Form): Promise<Response> =>
  postForm(app, '/oauth/bc-authorize', { scope: 'openid a', ...form }, { authorization: client.authorization })
const newRequest = async (app: TestApp, client: OauthTestClient, person: Person, form: Form = {}): Promise<Json> =>
  (await (await begin(app, client, { login_hint: person.email, ...form })).json()) as Json
const poll = (app: TestApp, client: OauthTestClient, auth_req_id: unknown): Promise<Response> =>
  postForm(app, '/oauth/token', { grant_type: CIBA, auth_req_id: String(auth_req_id) }, { authorization: client.authorization })
const errorOf = async (response: Response) => [response.status, ((await response.json()) as Json).error]
/** The id of the request in the push notification. */
const idOf = (push: Awaited<ReturnType<typeof startCiba>>['push']): string => String(push.outbox.at(-1)?.data.auth_req_id)

const newClientOf = (app: TestApp, { tenantId }: Person) => newOauthClient(app, { tenantId } as Company, { grantTypes: GRANTS })

describe('Authentication request (CIBA Core section 7.1)', () => {
  test('A user_code is ignored', async () => {
    const { app, client, pat } = await start()
    expect((await begin(app, client, { login_hint: pat.email, user_code: 'anything' })).status).toBe(200)
  })

  test('An unknown person gets the same responses as one who does not respond; pending requests are limited', async () => {
    const { app, client, company } = await start()
    const unknownPerson = { login_hint: `unknown@${company.name}.example` }
    const first = (await (await begin(app, client, unknownPerson)).json()) as Json
    expect(await errorOf(await poll(app, client, first.auth_req_id))).toEqual([400, 'authorization_pending'])
    expect((await begin(app, client, unknownPerson)).status).toBe(200)
    expect((await begin(app, client, unknownPerson)).status).toBe(200)
    expect(await errorOf(await begin(app, client, unknownPerson))).toEqual([429, 'temporarily_unavailable'])
    app.clock.advance(301)
    expect(await errorOf(await poll(app, client, first.auth_req_id))).toEqual([400, 'expired_token'])
  })
})

describe('Token request (CIBA Core section 10.1)', () => {
  test('A request approved on the phone is redeemed by one of fifty parallel polls', async () => {
    const { app, push, server, client, phone, pat } = await start()
    const requested = await newRequest(app, client, pat, { binding_message: 'W4SCT', requested_expiry: '120' })
    expect(requested).toMatchObject({ auth_req_id: expect.any(String), expires_in: 120, interval: 5 })
    expect(push.outbox.at(-1)?.body).toContain('W4SCT')
    expect(await errorOf(await poll(app, client, requested.auth_req_id))).toEqual([400, 'authorization_pending'])
    expect((await answerCibaRequest(app, phone.session, idOf(push))).status).toBe(200)
    const answers = await Promise.all(Array.from({ length: 50 }, () => poll(app, client, requested.auth_req_id)))
    const redeemed = answers.filter(({ status }) => status === 200)
    expect(redeemed).toHaveLength(1)
    const tokens = (await redeemed[0]?.json()) as Json
    expect(tokens).toMatchObject({ scope: 'openid a', refresh_token: expect.any(String) })
    expect(claimsOf(String(tokens.access_token))).toMatchObject({ sub: pat.id, aud: server.resource, amr: ['pwd', 'mca'] })
    expect(claimsOf(String(tokens.id_token))).toMatchObject({ sub: pat.id, aud: client.id })
    expect(await errorOf(await poll(app, client, requested.auth_req_id))).toEqual([400, 'invalid_grant'])
    // An ID token of the client can be the hint of the next request.
    const again = (await (await begin(app, client, { id_token_hint: String(tokens.id_token) })).json()) as Json
    expect(push.outbox.at(-1)?.data.auth_req_id).not.toBe(requested.auth_req_id)
    expect(again.auth_req_id).toBeDefined()
    expect(await errorOf(await begin(app, await newClientOf(app, pat), { scope: 'openid', id_token_hint: String(tokens.id_token) }))).toEqual([
      400,
      'invalid_request',
    ])
  })
})

describe('Token error response (CIBA Core section 11)', () => {
  test('A denied request gets access_denied; an auth_req_id works only for its own client and endpoint', async () => {
    const { app, push, company, client, phone, pat } = await start()
    const requested = await newRequest(app, client, pat)
    const other = await newOauthClient(app, company, { grantTypes: GRANTS })
    expect(await errorOf(await poll(app, other, requested.auth_req_id))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await poll(app, client, 'x'))).toEqual([400, 'invalid_grant'])
    expect((await pollCiba(app, client.id, String(requested.auth_req_id))).status).not.toBe(200)
    await answerCibaRequest(app, phone.session, idOf(push), { approved: false })
    expect(await errorOf(await poll(app, client, requested.auth_req_id))).toEqual([400, 'access_denied'])
    const tenantClient = await newCibaClient(app, company)
    const session = (await (await requestCiba(app, tenantClient, pat.email)).json()) as Json
    await answerCibaRequest(app, phone.session, idOf(push))
    const asOauth = { ...client, id: tenantClient.clientId, authorization: tenantClient.authorization }
    expect((await poll(app, asOauth, session.auth_req_id)).status).not.toBe(200)
    expect((await pollCiba(app, tenantClient.clientId, String(session.auth_req_id))).status).toBe(200)
  })
})

describe('Authentication error response (CIBA Core section 13)', () => {
  test('Errors have the names of CIBA Core section 13, and no push notification is sent', async () => {
    const { app, push, company, client, pat } = await start()
    const hint = { login_hint: pat.email }
    const cases: readonly (readonly [Form, string])[] = [
      [{}, 'invalid_request'],
      [{ ...hint, id_token_hint: 'x' }, 'invalid_request'],
      [{ login_hint_token: 'x' }, 'invalid_request'],
      [{ id_token_hint: 'x' }, 'invalid_request'],
      [{ login_hint: 'nobody' }, 'invalid_request'],
      [{ ...hint, scope: undefined }, 'invalid_request'],
      [{ ...hint, scope: 'a' }, 'invalid_scope'],
      [{ ...hint, scope: 'openid nothing' }, 'invalid_scope'],
      [{ ...hint, resource: 'https://elsewhere.example' }, 'invalid_target'],
      [{ ...hint, requested_expiry: '0' }, 'invalid_request'],
      [{ ...hint, requested_expiry: '1.5' }, 'invalid_request'],
      [{ ...hint, request: 'x.y.z' }, 'invalid_request'],
      [{ ...hint, binding_message: DISGUISED }, 'invalid_binding_message'],
      [{ ...hint, binding_message: 'pay\u200b1' }, 'invalid_binding_message'],
      [{ ...hint, binding_message: 'x'.repeat(129) }, 'invalid_binding_message'],
    ]
    const [other, open] = [await newOauthClient(app, company), await newOauthClient(app, company, { isPublic: true, grantTypes: GRANTS })]
    const requestAs = (client_id: string) => postForm(app, '/oauth/bc-authorize', { ...hint, client_id, scope: 'openid' })
    await unchanged(app, [company], async () => {
      for (const [form, error] of cases) expect(await errorOf(await begin(app, client, form)), JSON.stringify(form)).toEqual([400, error])
      expect(await errorOf(await requestAs(client.id))).toEqual([401, 'invalid_client'])
      expect(await errorOf(await begin(app, other, hint))).toEqual([400, 'unauthorized_client'])
      expect(await errorOf(await requestAs(open.id))).toEqual([400, 'unauthorized_client'])
    })
    expect(push.outbox).toEqual([])
  })
})
