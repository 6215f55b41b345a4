// The pure parts of signing in, as tables.
import { expect, test } from 'vitest'
import { asTenantId } from '#db/engine/tenant'
import { parseClientId } from '#shared/domains/clients/application'
import { isTransactionOrigin, readTransactionHandle } from '#shared/domains/login-transaction/login-transaction'
import { readConfig } from '#shared/kernel/config'
import type { RequestInfo } from '#shared/kernel/context'
import { deviceName } from '#shared/platform/outbox/mail/device-name'
import { fullDomain, isPlatformDomain } from './choose-tenant.ts'
import { isSatisfied } from './factors.ts'
import { factorMembers } from './login-response.ts'

test.each([
  [false, [], false],
  [false, ['pwd'], true],
  [true, ['pwd'], false],
  [true, ['otp'], false],
  [true, ['pwd', 'otp'], true],
  [true, ['pwd', 'sms'], true],
  [true, ['pwd', 'hwk'], true],
  [true, ['pwd', 'nonsense'], false],
] as const)('required: %s, verified: %j, enough: %s', (required, verified, enough) => {
  expect(isSatisfied(required, verified)).toBe(enough)
})

test.each([
  [[], false, { otp_required: false, webauthn_required: false, mfa_required: false, methods: [] }],
  [[], true, { otp_required: false, webauthn_required: false, mfa_required: true, methods: [] }],
  [['totp'], true, { otp_required: true, webauthn_required: false, mfa_required: true, mfa_method: 'totp', methods: ['totp'] }],
  [
    ['webauthn', 'sms'],
    true,
    { otp_required: false, webauthn_required: true, mfa_required: true, mfa_method: 'webauthn', methods: ['webauthn', 'sms'] },
  ],
] as const)('factors %j, required %s', (kinds, required, members) => {
  expect(factorMembers(kinds, required)).toEqual(members)
})

const ID = '0190a0b1-c2d3-7e4f-8a5b-6c7d8e9f0a1b'
test.each([
  [ID, ID],
  [ID.toUpperCase(), ID],
  [`"${ID}"`, ID],
  [`${ID}-main-client`, ID],
  [ID.replaceAll('-', '_'), ID],
  [`"${ID.replaceAll('-', '_')}_main_client"`, ID],
  [`${ID}~${'a'.repeat(64)}`, ID],
  [`${ID}~${'a'.repeat(64)}-main-client`, ID],
  ['nonsense', undefined],
  ['', undefined],
  [`${ID}0`, undefined],
  [`${ID}' or '1'='1`, undefined],
])('the client id %s means %s', (text, id) => {
  expect(parseClientId(text)).toBe(id)
})

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0', 'Edge on Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36', 'Chrome on Linux'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1', 'Safari on iPhone'],
  ['curl/8.5.0', 'curl'],
  ['', 'an unknown device'],
])('%s is %s', (agent, name) => {
  expect(deviceName(agent)).toBe(name)
})

const request = (cookies: Record<string, string>, headers: Record<string, string> = {}, origin?: string): RequestInfo => ({
  id: 'test',
  address: '192.0.2.1',
  place: '',
  userAgent: '',
  method: 'GET',
  page: '/',
  origin,
  host: 'localhost',
  secure: false,
  route: 'test',
  emits: 'nothing',
  cookie: (name) => cookies[name],
  header: (name) => headers[name],
})
const [A, B, C] = ['A', 'B', 'C'].map((letter) => `${ID}.${letter.repeat(43)}`) as [string, string, string]

test.each([
  ['body before header and cookie', A, { 'x-login-ticket': B }, { authsec_login: C }, A, 'body'],
  ['header before cookie', undefined, { 'x-login-ticket': B }, { authsec_login: C }, B, 'header'],
  ['cookie', undefined, {}, { authsec_login: C }, C, 'cookie'],
  ['an empty body member is none', '', {}, { authsec_login: C }, C, 'cookie'],
] as const)('a handle: %s', (_, inBody, headers, cookies, text, from) => {
  expect(readTransactionHandle({ request: request(cookies, headers) }, 'login', inBody)).toEqual({ tenantId: ID, text, from })
})

test.each([`${ID}.short`, `${ID}.${'A'.repeat(44)}`, `${ID.toUpperCase()}.${'A'.repeat(43)}`, `x${A}`, `${A}\n`, 'nonsense'])(
  '%j is no handle',
  (text) => {
    expect(readTransactionHandle({ request: request({}) }, 'login', text)).toBeUndefined()
  },
)

test('the header carries only login tickets', () => {
  expect(readTransactionHandle({ request: request({}, { 'x-login-ticket': A }) }, 'password_reset')).toBeUndefined()
})

test.each([
  ['https://a.example', 'https://a.example', true],
  ['https://a.example', 'https://b.example', false],
  ['https://a.example', undefined, false],
  [null, 'https://a.example', false],
  [null, undefined, true],
] as const)('begun at %s, a cookie from %s: %s', (began, origin, serves) => {
  const handle = { tenantId: asTenantId(ID), text: A, from: 'cookie' } as const
  expect(isTransactionOrigin({ origin: began }, handle, request({}, {}, origin))).toBe(serves)
  expect(isTransactionOrigin({ origin: began }, { ...handle, from: 'body' }, request({}, {}, origin))).toBe(true)
})

const config = readConfig({
  TENANT_DOMAIN_SUFFIX: 'app.example.com',
  BASE_URL: 'https://api.example.com',
  PUBLIC_UI_ORIGIN: 'https://ui.example.com',
})

test.each([
  ['acme', 'acme.app.example.com'],
  [' ACME ', 'acme.app.example.com'],
  ['acme.app.example.com', 'acme.app.example.com'],
  ['Acme.App.Example.Com.', 'acme.app.example.com'],
  ['login.acme.example', 'login.acme.example'],
  ['login.acme.example:8443', 'login.acme.example'],
  ['app.example.com', 'app.example.com'],
])('%s means %s', (text, domain) => {
  expect(fullDomain(config, text)).toBe(domain)
})

test.each([
  ['app.example.com', true],
  ['api.example.com', true],
  ['ui.example.com', true],
  ['acme.app.example.com', false],
  ['example.com', false],
])('%s is the platform: %s', (domain, yes) => {
  expect(isPlatformDomain(config, domain)).toBe(yes)
})
