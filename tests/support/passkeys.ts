// Shared setup for tests of passkeys: callers on a page, login transactions, existing passkeys, and the state that must not change.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import { insertPasskey } from '#db/store/passkeys'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import type { Person, TestApp } from './app.ts'
import type { Authenticator, Made } from './authenticator.ts'
import { rowsOf } from './rows.ts'
import { type Body, bodyOf } from './sign-in.ts'

/** A page of the platform. */
export const PAGE = 'http://localhost:7468'
export const RP_ID = 'localhost'
const BASE = '/authsec/webauthn'

/** A verified password, as the first step leaves it. */
export const loginTicket = (app: TestApp, person: Person, verified: readonly string[] = ['pwd']): Promise<string> =>
  atomically(forTenant(app.db, person.tenantId), (t) =>
    startLoginTransaction(t, app.ctx, {
      purpose: 'login',
      userId: person.id,
      clientId: null,
      verified: [...verified],
      mailboxProvedAt: app.clock.now(),
      seconds: 600,
    }),
  )

export type Options = {
  readonly publicKey: {
    readonly challenge: string
    readonly rpId: string
    readonly rp: { readonly id: string; readonly name: string }
    readonly user: { readonly id: string }
    readonly userVerification: string
    readonly allowCredentials: readonly { readonly id: string }[]
    readonly excludeCredentials: readonly { readonly id: string }[]
  }
  readonly session_id: string
}

export type Caller = {
  readonly ticket?: string
  readonly token?: string
  readonly origin?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string
}

/** Posts below /authsec/webauthn from a page. */
export const postPasskey = (
  app: TestApp,
  path: string,
  body: Body,
  { ticket, token, origin = PAGE, headers = {}, address }: Caller = {},
): Promise<Response> =>
  app.request(`${BASE}${path}`, {
    body,
    headers: { origin, ...(ticket === undefined ? {} : { 'x-login-ticket': ticket }), ...headers },
    ...(token === undefined ? {} : { token }),
    ...(address === undefined ? {} : { address }),
  })

export const optionsOf = async (response: Response): Promise<Options> => {
  if (response.status !== 200) throw new Error(await response.text())
  return (await response.json()) as Options
}

/** The members of AuthSec's body that name a person. */
export const named = (person: Person) => ({ email: person.email, tenant_id: person.tenantId as string })

/** A whole registration through the flat form. */
export const register = async (app: TestApp, person: Person, device: Authenticator, caller: Caller, more: Body = {}): Promise<Response> => {
  const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), caller))
  const body = { ...named(person), session_id: options.session_id, credential: device.create(options), ...more }
  return postPasskey(app, '/finishRegistration', body, caller)
}

/** A whole authentication through the flat form. */
export const authenticate = async (app: TestApp, person: Person, device: Authenticator, caller: Caller): Promise<Response> => {
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), caller))
  return postPasskey(app, '/finishAuthentication', { ...named(person), session_id: options.session_id, credential: device.get(options) }, caller)
}

/** A passkey of the person, as a verified registration leaves it. */
export const givePasskey = async (
  app: TestApp,
  person: Person,
  device: Authenticator,
  rpId = RP_ID,
): Promise<Made & { readonly factorId: string }> => {
  const id = app.ctx.random.id()
  const at = app.clock.now()
  const userHandle = Buffer.from(person.id).toString('base64url')
  device.create({ publicKey: { challenge: '', rp: { id: rpId }, user: { id: userHandle } } })
  const made = device.held.at(-1)
  if (made === undefined) throw new Error('nothing was made')
  await atomically(forTenant(app.db, person.tenantId), async (t) => {
    await insertFactor(t, { id, userId: person.id, kind: 'webauthn', name: 'Laptop', confirmedAt: at, createdAt: at })
    const row = {
      factorId: id,
      userId: person.id,
      credentialId: made.id,
      publicKey: new Uint8Array(made.keys.cose),
      algorithm: device.traits.algorithm,
      signCount: made.counter,
      rpId,
      aaguid: '00000000-0000-0000-0000-000000000000',
      backupEligible: device.traits.synced,
      backedUp: device.traits.synced,
      userVerified: device.traits.uv,
      createdAt: at,
    }
    await insertPasskey(t, row, app.ctx.hash('passkey-directory', made.id, userHandle))
  })
  return Object.assign(made, { factorId: id })
}

/** Everything that a ceremony may change for a person, except the ceremony itself. */
export const passkeyStateOf = async (app: TestApp, person: Person): Promise<unknown> => {
  const t = forTenant(app.db, person.tenantId)
  const rows = (text: string): Promise<unknown> => t.run({ text, params: [person.tenantId, person.id], arrays: true })
  return [
    await rows(
      'select credential_id, sign_count, counter_alarm_at, backed_up from authsec.webauthn_credentials where tenant_id = $1 and user_id = $2 order by 1',
    ),
    await rows('select id, kind, name, confirmed_at, last_used_at from authsec.factors where tenant_id = $1 and user_id = $2 order by 1'),
    await rows("select id, verified, used_at from authsec.tickets where tenant_id = $1 and user_id = $2 and purpose = 'login' order by 1"),
    await rows('select id, token_id, amr, acr, auth_time, revoked_at from authsec.sessions where tenant_id = $1 and user_id = $2 order by 1'),
    // For all other people, only what neither a ceremony nor the test's own sign-ins write.
    await rowsOf(app, person.tenantId, ['tickets', 'sessions', 'audit_events', 'users', 'pending_enrolments']),
  ]
}

/** The factors that the login ticket of a handle has verified. */
export const verifiedIn = async (app: TestApp, person: Person, handle: string): Promise<unknown> => {
  const text = 'select verified from authsec.tickets where tenant_id = $1 and handle_hash = $2'
  const rows = await forTenant(app.db, person.tenantId).run({ text, params: [person.tenantId, app.ctx.hash('ticket', handle)], arrays: true })
  return (rows as unknown[][])[0]?.[0]
}

export { bodyOf }
