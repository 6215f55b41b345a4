// Authorization details (RFC 9396) of device and CIBA requests: displayed to the person in words, copied into the tokens as approved, and counted against budgets.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { deleteDetailType } from '#db/store/oauth-details'
import { presentEvents } from '#shared/domains/audit/presentation'
import { CIBA, DEVICE_CODE } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { introspected, newDetailType, payment } from '#tests/support/agents'
import { openBrowser, signInQueryOf, titleOf } from '#tests/support/browser'
import { answerCibaRequest, newPhone, startCiba, TENANT_CIBA } from '#tests/support/ciba'
import { DEVICE, verifyDevice } from '#tests/support/grants'
import { claimsOf, type Json, newOauthClient, newResource, postForm } from '#tests/support/oauth'
import { bodyOf } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { cibaRoutes } from '../ciba/routes.ts'
import { deviceRoutes } from '../device/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { oauthRoutes } from './routes.ts'

type Form = Readonly<Record<string, string | undefined>>
type Channel = 'device' | 'ciba'
const CHANNELS: readonly Channel[] = ['device', 'ciba']
const WORDS = ['Pay invoices', 'at most 10 times', 'at most €50.00 in all', 'for <b>Ada</b>']
const json = JSON.stringify

const start = async (render = authorizationServerError) => {
  const routes = [...oauthRoutes, ...deviceRoutes, ...cibaRoutes, ...loginRoutes, ...accountPageRoutes] as readonly Route<never>[]
  const { app, push } = await startCiba(routes, { render })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'a' }])
  const typeId = await newDetailType(app, company)
  const client = await newOauthClient(app, company, { at: [server], grantTypes: ['refresh_token', DEVICE_CODE, CIBA] })
  const phone = await newPhone(app, await app.person(company))
  const { authorization } = client
  const pat = phone.person

  const sendRequest = (channel: Channel, details: unknown, more: Form = {}): Promise<Response> => {
    const form = { authorization_details: typeof details === 'string' ? details : json(details), ...more }
    if (channel === 'device') return postForm(app, '/oauth/device_authorization', form, { authorization })
    return postForm(app, '/oauth/bc-authorize', { scope: 'openid', login_hint: pat.email, ...form }, { authorization })
  }
  const begin = async (channel: Channel, details: unknown, more: Form = {}): Promise<Json> => bodyOf(await sendRequest(channel, details, more))
  const idOnPhone = (): string => String(push.outbox.at(-1)?.data.auth_req_id)
  const approve = async (channel: Channel, pending: Json): Promise<number> =>
    (channel === 'device' ? await verifyDevice(app, pat, String(pending.user_code)) : await answerCibaRequest(app, phone.session, idOnPhone())).status
  const poll = (channel: Channel, pending: Json, more: Form = {}): Promise<Response> => {
    const handle = channel === 'device' ? { device_code: String(pending.device_code) } : { auth_req_id: String(pending.auth_req_id) }
    return postForm(app, '/oauth/token', { grant_type: channel === 'device' ? DEVICE_CODE : CIBA, ...handle, ...more }, { authorization })
  }
  const rows = async (table: string): Promise<number> => {
    const text = `select 1 from authsec.${table} where tenant_id = $1`
    return (await forTenant(app.db, company.tenantId).run({ text, params: [company.tenantId], arrays: true })).length
  }
  return { app, push, company, server, typeId, client, phone, pat, sendRequest, begin, approve, poll, rows }
}
const errorOf = async (response: Response) => [response.status, ((await response.json()) as Json).error]

test.each(CHANNELS)(
  '%s: the tokens have the approved details, the resource server spends them, and a refresh creates no new budget',
  async (channel) => {
    const { app, server, client, begin, approve, poll, rows } = await start()
    const pending = await begin(channel, [payment()], { resource: server.resource })
    expect(await approve(channel, pending)).toBe(200)
    const tokens = await bodyOf(await poll(channel, pending, { resource: server.resource }))
    expect(tokens).toMatchObject({ authorization_details: [payment()], scope: channel === 'device' ? '' : 'openid' })
    expect(claimsOf(String(tokens.access_token))).toMatchObject({ authorization_details: [payment()], aud: server.resource })
    const remaining = [{ calls_left: 10, amount_left: 5000, currency: 'EUR' }]
    expect(await introspected(app, server, String(tokens.access_token))).toMatchObject({
      active: true,
      authorization_details: [payment()],
      authorization_details_left: remaining,
    })
    const spend = (token: unknown, amount: string) =>
      postForm(app, '/oauth/spend', { token: String(token), calls: '1', amount, currency: 'EUR' }, { authorization: server.authorization })
    expect(await bodyOf(await spend(tokens.access_token, '4000'))).toMatchObject({ calls_left: 9, amount_left: 1000 })
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) }
    const next = await bodyOf(await postForm(app, '/oauth/token', refresh, { authorization: client.authorization }))
    expect(next.authorization_details).toEqual([payment()])
    expect(await errorOf(await spend(next.access_token, '1001'))).toEqual([409, 'limit_exceeded'])
    expect(await rows('oauth_budgets')).toBe(1)
  },
)

test.each(CHANNELS)('%s: a poll may select approved details; a refused selection does not use the grant up', async (channel) => {
  const { server, begin, approve, poll, rows } = await start()
  const two = [payment(), payment({ max_calls: 3, accounts: ['a-9'] })]
  const pending = await begin(channel, two)
  await approve(channel, pending)
  const wider: readonly (readonly [Form, string])[] = [
    [{ authorization_details: json([payment({ max_calls: 11 })]) }, 'invalid_authorization_details'],
    [{ authorization_details: json([{ type: 'transfer' }]) }, 'invalid_authorization_details'],
    [{ authorization_details: '[' }, 'invalid_authorization_details'],
    [{ resource: 'https://elsewhere.example/' }, 'invalid_target'],
  ]
  for (const [form, error] of wider) expect(await errorOf(await poll(channel, pending, form)), json(form)).toEqual([400, error])
  expect([await rows('oauth_authorizations'), await rows('oauth_budgets')]).toEqual([0, 0])
  const tokens = await bodyOf(await poll(channel, pending, { authorization_details: json([two[1]]), resource: server.resource }))
  expect(tokens.authorization_details).toEqual([two[1]])
  expect(claimsOf(String(tokens.access_token))).toMatchObject({ authorization_details: [two[1]] })
})

test.each(CHANNELS)('%s: unregistered or malformed details are refused before the person is notified', async (channel) => {
  const { app, company, push, sendRequest, rows } = await start()
  const other = await newResource(app, company, [])
  await newDetailType(app, company, { type: 'elsewhere', resourceServerId: other.id })
  await newDetailType(app, await app.company('globex'), { type: 'theirs' })
  const bad = ['[{', '[]', '[{}]', [{ type: 'transfer' }], [payment({ more: 1 })], [payment({ max_amount: -1 })], [payment({ currency: 'euro' })]]
  for (const details of [...bad, [payment({ type: 'elsewhere' })], [payment({ type: 'theirs' })]]) {
    expect(await errorOf(await sendRequest(channel, details)), json(details)).toEqual([400, 'invalid_authorization_details'])
  }
  expect(await errorOf(await sendRequest(channel, [payment()], { resource: 'https://elsewhere.example/' }))).toEqual([400, 'invalid_target'])
  expect([await rows('device_grants'), await rows('ciba_requests'), push.outbox.length]).toEqual([0, 0, 0])
})

test.each(CHANNELS)('%s: if the type was deleted before the poll, no token is issued', async (channel) => {
  const { app, company, typeId, begin, approve, poll, rows } = await start()
  const pending = await begin(channel, [payment()])
  await approve(channel, pending)
  await atomically(forTenant(app.db, company.tenantId), (t) => deleteDetailType(t, typeId))
  expect(await errorOf(await poll(channel, pending))).toEqual([400, 'access_denied'])
  expect(await rows('oauth_authorizations')).toBe(0)
})

test('The activation page and the activation API describe the details in words', async () => {
  const { app, company, server, pat, begin, poll } = await start(pageError)
  const pending = await begin('device', [payment({ note: 'for <b>Ada</b>\u202e' })])
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  const { html } = await browser.read(`/activate/device?user_code=${pending.user_code}`)
  for (const words of WORDS) expect(html).toContain(words.replaceAll('<', '&lt;').replaceAll('>', '&gt;'))
  expect(html).not.toContain('\u202e')
  const info = await bodyOf(await app.request(`${DEVICE}/activate/info?user_code=${pending.user_code}`, { headers: { 'accept-language': 'de' } }))
  expect(info).toMatchObject({
    resource: server.resource,
    authorization_details: [payment({ note: 'for <b>Ada</b>\u202e' })],
    authorization_details_in_words: [
      { title: 'Pay invoices', facts: expect.arrayContaining(['insgesamt höchstens 50,00\u00a0€', 'höchstens 10 Mal']) },
    ],
  })
  await browser.send({ decision: 'approve' })
  expect((await bodyOf(await poll('device', pending))).authorization_details).toHaveLength(1)
})

test('The notification names the details; the list and the approval page describe all of them', async () => {
  const { app, company, server, push, phone, pat, begin, poll } = await start(pageError)
  const pending = await begin('ciba', [payment({ note: 'for <b>Ada</b>\u202e' })], { binding_message: 'W4SCT' })
  expect(push.outbox.at(-1)?.body).toContain('asks you to approve Pay invoices')
  expect(json(push.outbox.at(-1))).not.toContain('5000')
  const list = await bodyOf(await app.request(`${TENANT_CIBA}/requests`, { token: phone.session }))
  expect(list.requests).toMatchObject([
    {
      resource: server.resource,
      authorization_details: [payment({ note: 'for <b>Ada</b>\u202e' })],
      authorization_details_in_words: [{ title: 'Pay invoices', facts: expect.arrayContaining(['at most €50.00 in all', 'at most 10 times']) }],
    },
  ])
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  const page = await browser.read('/approve')
  expect(titleOf(page)).toBe('Approve this sign-in?')
  for (const words of [...WORDS, 'Tools', new URL(server.resource).host]) {
    expect(page.html).toContain(words.replaceAll('<', '&lt;').replaceAll('>', '&gt;'))
  }
  expect(page.html).not.toMatch(/\u202e|Sign in as you/)
  await browser.send({ decision: 'approve' })
  expect((await bodyOf(await poll('ciba', pending))).authorization_details).toHaveLength(1)
})

test('The audit log has the requested and the approved details', async () => {
  const { app, company, begin, approve, poll } = await start()
  for (const channel of CHANNELS) {
    const pending = await begin(channel, [payment()])
    await approve(channel, pending)
    await poll(channel, pending)
  }
  const events = await presentEvents(app.ctx, forTenant(app.db, company.tenantId), await app.events(company.tenantId))
  const withDetails = events.filter(({ after }) => json(after).includes('"max_amount":5000'))
  expect(new Set(withDetails.map(({ event }) => event))).toEqual(
    new Set(['device_grant.requested', 'device_grant.approved', 'ciba.requested', 'ciba.approved', 'oauth.tokens_issued']),
  )
})
