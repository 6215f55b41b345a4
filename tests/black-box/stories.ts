// Sequences of requests through several functions, as clients and browsers make them: each request uses the previous response.
import { randomUUID } from 'node:crypto'
import { cookieJar } from '../support/app.ts'
import { formsOf } from '../support/browser.ts'
import { authorizePath, basicOf, challengeOf, newOauthClient, newResource, VERIFIER } from '../support/oauth.ts'
import { answerHeader, BOX_HOST, type BoxAnswer, type BoxRequest, cookiesOf, jsonOf, textOf } from './answers.ts'
import type { Box } from './systems.ts'

/** Sends a request and keeps the response under a name. */
type Step = (what: string, request: BoxRequest) => Promise<BoxAnswer>
export type Story = (box: Box, step: Step) => Promise<void>

const ORIGIN = `https://${BOX_HOST}`
const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }
const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` })
const send = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): BoxRequest => ({
  method: 'POST',
  path,
  headers: { ...JSON_TYPE, ...headers },
  body: JSON.stringify(body),
})
const form = (path: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): BoxRequest => ({
  method: 'POST',
  path,
  headers: { ...FORM_TYPE, ...headers },
  body: new URLSearchParams(fields).toString(),
})

/** Keeps cookies and submits forms as a browser on our pages does. */
const browserOf = (step: Step) => {
  const jar = cookieJar()
  const last = { html: '' }
  const keep = (answer: BoxAnswer): BoxAnswer => {
    jar.take(new Response(null, { headers: cookiesOf(answer).map((line): [string, string] => ['set-cookie', line]) }))
    last.html = textOf(answer)
    return answer
  }
  const read = async (what: string, path: string) => keep(await step(what, { path, headers: { ...jar.header() } }))
  const press = async (what: string, fields: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}, action?: string) => {
    const found = formsOf({ status: 200, url: '', html: last.html, headers: new Headers() }).find(
      (one) => action === undefined || one.action === action,
    )
    const headers = { ...jar.header(), origin: ORIGIN, 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1', ...more }
    return keep(await step(what, form(found?.action ?? '/no-form', { ...found?.fields, ...fields }, headers)))
  }
  return { read, press, goesTo: (answer: BoxAnswer) => (answerHeader(answer, 'location') ?? '').replace(ORIGIN, '') }
}

const throughTheApi: Story = async ({ app, company }, step) => {
  const person = await app.person(company, 'admin')
  const login = (password: string) => send('/authsec/uflow/auth/admin/login', { email: person.email, password, tenant_domain: company.domain })
  await step('a wrong password', login('wrong'))
  const right = await step('the right password', login(person.password))
  const { token } = jsonOf(right)
  await step('sessions', { path: '/account/sessions', headers: bearer(token) })
  await step('from another origin', { path: '/account/sessions', headers: { ...bearer(token), origin: 'https://elsewhere.example' } })
  await step('from our own origin', {
    path: '/account/sessions',
    headers: { ...bearer(token), origin: ORIGIN, 'x-request-id': 'set-by-the-caller' },
  })
  await step('only with a cookie', { path: '/account/sessions', headers: { cookie: `__Host-authsec_session=${String(token)}` } })
  await step('signed out', send('/account/sign-out', {}, bearer(token)))
  await step('sessions after signing out', { path: '/account/sessions', headers: bearer(token) })
}

const onThePages: Story = async ({ app, company }, step) => {
  const person = await app.person(company, 'admin')
  const browser = browserOf(step)
  const begun = await browser.read('the account page, signed out', '/me')
  await browser.read('the sign-in page', browser.goesTo(begun))
  const entered = await browser.press('the email address', { email: person.email })
  await browser.read('the password page', browser.goesTo(entered))
  const wrong = await browser.press('a wrong password', { password: 'wrong' })
  await browser.read('the page with the error', browser.goesTo(wrong))
  await browser.press(
    'a form posted from another site',
    { password: person.password },
    { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
  )
  await browser.read('the password page again', '/signin/password')
  const inside = await browser.press('the right password', { password: person.password })
  await browser.read('the account page', browser.goesTo(inside))
  await browser.read('a page in German', '/me?lang=de')
  await browser.press('a form without its token', { form_token: 'x' })
  await browser.read('the account page again', '/me')
  await browser.press('sign-out', {}, {}, '/signout')
  await browser.read('the account page after signing out', '/me')
}

const aCompanySignsUp: Story = async ({ mailsTo }, step) => {
  const id = randomUUID().slice(-12)
  const email = `zoe-${id}@new-${id}.example`
  const company = { email, password: 'a-long-word-of-its-own-7', name: 'Zoë', tenant_domain: `new-${id}` }
  await step('a short password', send('/authsec/uflow/register/initiate', { ...company, password: 'short' }))
  await step('begun', send('/authsec/uflow/register/initiate', company))
  const otp = /^\s*(\d{6})\s*$/m.exec((await mailsTo(email)).at(-1) ?? '')?.[1] ?? 'no code was mailed'
  await step('a wrong code', send('/authsec/uflow/register/verify', { email, otp: otp === '000000' ? '000001' : '000000' }))
  await step('the mailed code', send('/authsec/uflow/register/verify', { email, otp }))
  await step('the code again', send('/authsec/uflow/register/verify', { email, otp }))
  await step('signed in', send('/authsec/uflow/auth/admin/login', { email, password: company.password }))
}

const aClientIsAuthorized: Story = async ({ app, company }, step) => {
  const person = await app.person(company, ['tools:write'])
  const server = await newResource(app, company, [{ name: 'tools:read' }, { name: 'offline_access' }])
  const client = await newOauthClient(app, company, { at: [server] })
  const basic = { authorization: client.authorization }
  const path = authorizePath(client, { scope: 'openid email tools:read offline_access', resource: server.resource, nonce: 'n-1' })
  const browser = browserOf(step)
  await step('an unknown redirect address', { path: path.replace('callback', 'elsewhere') })
  await step('no challenge', { path: path.replace(/code_challenge=[^&]*&/, '') })
  await browser.read('the sign-in page', browser.goesTo(await browser.read('signed out', path)))
  const entered = await browser.press('the email address', { email: person.email })
  await browser.read('the password page', browser.goesTo(entered))
  const inside = await browser.press('the password', { password: person.password })
  await browser.read('the consent page', browser.goesTo(inside))
  const allowed = await browser.press('allowed', { decision: 'allow' })
  const answer = new URL(answerHeader(allowed, 'location') ?? 'about:blank').searchParams
  const redeem = { grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: client.redirectUri, code_verifier: VERIFIER }
  await step('a wrong verifier', form('/oauth/token', { ...redeem, code_verifier: 'w'.repeat(43) }, basic))
  const again = await browser.read('a second authorization request', path)
  const code = new URL(answerHeader(again, 'location') ?? 'about:blank').searchParams.get('code') ?? ''
  await step('another client', form('/oauth/token', { ...redeem, code }, { authorization: basicOf(client.id, 'no') }))
  const tokens = jsonOf(await step('tokens', form('/oauth/token', { ...redeem, code }, basic)))
  await step('userinfo', { path: '/oauth/userinfo', headers: bearer(tokens.access_token) })
  await step('userinfo without a token', { path: '/oauth/userinfo' })
  const introspect = (token: unknown) => form('/oauth/introspect', { token: String(token) }, { authorization: server.authorization })
  await step('introspected', introspect(tokens.access_token))
  const refresh = (token: unknown) => form('/oauth/token', { grant_type: 'refresh_token', refresh_token: String(token) }, basic)
  const next = jsonOf(await step('refreshed', refresh(tokens.refresh_token)))
  await step(
    'pushed',
    form(
      '/oauth/par',
      {
        client_id: client.id,
        response_type: 'code',
        redirect_uri: client.redirectUri,
        code_challenge: challengeOf(VERIFIER),
        code_challenge_method: 'S256',
      },
      basic,
    ),
  )
  await step('a parameter twice', {
    method: 'POST',
    path: '/oauth/token',
    headers: { ...FORM_TYPE, ...basic },
    body: 'grant_type=client_credentials&grant_type=client_credentials',
  })
  await step('revoked', form('/oauth/revoke', { token: String(next.refresh_token) }, basic))
  await step('introspected afterwards', introspect(next.access_token))
  await step('refreshed afterwards', refresh(next.refresh_token))
  await step('the code again', form('/oauth/token', { ...redeem, code }, basic))
}

/** Raw bodies, sizes and spellings of paths: differences between the two transports. */
const onTheWire: Story = async ({ app, company }, step) => {
  const owner = await app.person(company, 'admin')
  const own = bearer(await app.token(owner))
  const csv = (body: string | Uint8Array, more: Readonly<Record<string, string>> = {}): BoxRequest => ({
    method: 'POST',
    path: '/people/import?dry_run=true',
    headers: { ...own, 'content-type': 'text/csv; charset=utf-8', ...more },
    body,
  })
  await step('text outside the basic multilingual plane', csv('email,name\r\nzoe@sample.example,"Zoë, 名 \u{1f511}"\r\n'))
  await step('bytes that are not valid UTF-8', csv(new Uint8Array([0x65, 0xff, 0xfe, 0x0a])))
  await step('a compressed body', csv('email\n', { 'content-encoding': 'gzip' }))
  await step('a body over the limit', send('/account/password', { current_password: 'x'.repeat(1_100_000) }, own))
  await step('a body of another content type', {
    method: 'POST',
    path: '/account/password',
    headers: { ...own, 'content-type': 'text/plain' },
    body: '{}',
  })
  await step('no body', { method: 'POST', path: '/account/password', headers: { ...own, ...JSON_TYPE } })
  const picture = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const brand = (logo: string): BoxRequest => ({
    method: 'PUT',
    path: '/branding',
    headers: { ...own, ...JSON_TYPE },
    body: JSON.stringify({ brand: '#0a7d33', brand_ink: null, radius: null, logo }),
  })
  await step('a picture', brand(picture))
  await step('content that claims to be an image', brand('data:image/png;base64,PHN2Zz48L3N2Zz4='))
  await step('the page with it', { path: `/signin?client_id=${company.clientId}` })
  for (const odd of ['a%20b', '%C3%A9', '%00', '%25', '%2541', 'a%23b', '..;', '%E2%82%AC%22', "'", 'x'.repeat(900)])
    await step(`a path with ${odd.slice(0, 20)}`, { path: `/people/${odd}`, headers: own })
  for (const odd of [
    'limit=1&limit=2',
    'limit=%31',
    'limit',
    'limit=1;x=2',
    'search=%C3%A9%20%2B+%26',
    'search=%FF',
    'limit=1&&',
    '?',
    'constructor=1',
  ])
    await step(`a query of ${odd}`, { path: `/people?${odd}`, headers: own })
  const listed = await step('a list', { path: '/people?limit=1', headers: own })
  await step('the next page', { path: `/people?limit=1&cursor=${encodeURIComponent(String(jsonOf(listed).next_cursor ?? ''))}`, headers: own })
  const one = await step('a resource with an ETag', { path: `/people/${owner.id}`, headers: own })
  await step('the unchanged resource', { path: `/people/${owner.id}`, headers: { ...own, 'if-none-match': answerHeader(one, 'etag') ?? '' } })
  await step('a header with a repeated cookie name', { path: '/account/sessions', headers: { ...own, cookie: 'a=1; a=2', accept: 'text/html, */*' } })
  await step('a malformed authorization scheme', { path: '/account/sessions', headers: { authorization: 'Bearer' } })
  await step('keys', { path: '/.well-known/jwks.json', headers: { 'if-none-match': '"none"' } })
}

export const STORIES: Readonly<Record<string, Story>> = {
  'an administrator signs in at the API': throughTheApi,
  'a person signs in on the pages': onThePages,
  'a company signs up': aCompanySignsUp,
  'a client is authorized': aClientIsAuthorized,
  'bodies and paths on the wire': onTheWire,
}
