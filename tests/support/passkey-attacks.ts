// Shared setup for tests of attacks on passkeys: the endpoints, the refusals, and the manipulated parts of a response.
import type { Route } from '#shared/platform/http/route'
import { type Company, type Person, startApp, type TestApp } from './app.ts'
import { type Authenticator, authenticator, cbor, type Lies } from './authenticator.ts'
import { type Caller, loginTicket, PAGE } from './passkeys.ts'
import { bodyOf } from './sign-in.ts'

export type PasskeyWorld = { readonly app: TestApp; readonly company: Company; readonly person: Person; readonly device: Authenticator }
export const passkeyWorldOf = async (routes: readonly Route<never>[]): Promise<PasskeyWorld> => {
  const app = await startApp(routes)
  const company = await app.company()
  return { app, company, person: await app.person(company), device: authenticator(PAGE) }
}
export const answerOfResponse = async (response: Response): Promise<unknown> => {
  const { request_id: _, ...body } = await bodyOf(response)
  return [response.status, body]
}
export const saying = (status: number, error: string, code: string): unknown => [status, { error, message: error, code }]
export const REGISTRATION_FAILED = saying(400, 'registration failed', 'registration_failed')
export const AUTHENTICATION_FAILED = saying(401, 'authentication failed', 'passkey_refused')
export const NO_REGISTRATION = saying(400, 'no registration session', 'no_registration_session')
export const NO_AUTHENTICATION = saying(400, 'no authentication session', 'no_authentication_session')

/** Both ways to authenticate at an endpoint of a factor. */
export const CALLERS = ['ticket', 'token'] as const
export const callerOf = async (app: TestApp, person: Person, kind: (typeof CALLERS)[number]): Promise<Caller> =>
  kind === 'ticket' ? { ticket: await loginTicket(app, person) } : { token: await app.token(person) }

export const refusals = async (app: TestApp, person: Person): Promise<number> =>
  (await app.events(person.tenantId, { outcome: 'refused' })).filter(({ reason }) => reason === 'registration_failed' || reason === 'passkey_refused')
    .length

export const map = (entries: readonly (readonly [number | string, never])[]): ReadonlyMap<never, never> => new Map(entries as never)
export const key = (entries: readonly (readonly [number, number | Buffer])[]): Buffer => cbor(map(entries as never))
export const COORDINATE = Buffer.alloc(32, 1)

export const EVERYWHERE: readonly (readonly [string, Lies])[] = [
  ['the origin of another site', { origin: 'https://evil.example' }],
  ['an origin that begins like ours', { origin: 'http://localhost:7468.evil.example' }],
  ['our origin with another port', { origin: 'http://localhost:7469' }],
  ['our origin with a slash', { origin: 'http://localhost:7468/' }],
  ['our origin in capitals', { origin: 'http://LOCALHOST:7468' }],
  ['an unknown challenge', { challenge: Buffer.alloc(32, 3).toString('base64url') }],
  ['an empty challenge', { challenge: '' }],
  ['another type of client data', { type: 'payment.get' }],
  ['the hash of another relying party id', { rpId: 'evil.example' }],
  ['the hash of a relying party id above ours', { rpId: 'com' }],
  ['inside a page of another site', { crossOrigin: true }],
  ['inside a page of another site, with its top origin', { crossOrigin: true, topOrigin: 'https://evil.example' }],
  ['with a top origin and no frame', { topOrigin: 'https://evil.example' }],
  ['no user presence', { up: false }],
  ['no user presence and no user verification', { up: false, uv: false }],
]

export const ASSERTIONS: readonly (readonly [string, Lies])[] = [
  ...EVERYWHERE,
  ['a registration in place of an assertion', { type: 'webauthn.create' }],
  ['a forged signature', { forged: true }],
  ['the user handle of another person', { userHandle: Buffer.from('0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee').toString('base64url') }],
  ['a key that became eligible for backup', { backupEligible: true }],
  ['an unknown credential id', { credentialId: Buffer.alloc(32, 6).toString('base64url') }],
]
