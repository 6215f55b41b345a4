// Passkeys in a real browser with virtual authenticators (CDP domain WebAuthn): platform and roaming, with and without user verification.
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findAuditEvents } from '#db/store/audit-events'
import { findDefaultClient } from '#db/store/clients'
import { findPasskeys, type Passkey } from '#db/store/passkeys'
import { listTenantIds } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import type * as passkeyClient from '#shared/platform/pages/passkey.client'
import type { Ceremony, CeremonyResult } from '#shared/platform/pages/passkey.client'
import { type System, startSystem, type Watched } from './browser/system.ts'

type OnPage = { readonly authsecPasskeys: typeof passkeyClient }
const PASSWORD = 'seven purple lanterns over water'

let system: System
let tenantId: TenantId
let clientId: string
/** An IP address cannot be a relying party id, so the pages are opened by host name. */
let base: string
beforeAll(async () => {
  system = await startSystem()
  base = system.base.replace('127.0.0.1', 'localhost')
  const tenants = await listTenantIds(directory(system.ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  clientId = (await findDefaultClient(forTenant(system.ctx.db, tenantId)))?.id ?? ''
})
afterAll(() => system?.stop())

type Person = { readonly id: string; readonly email: string }
const newPerson = async (): Promise<Person> => {
  const { ctx } = system
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const email = `passkey-${id.slice(-8)}@acme.example`
  const passwordHash = await ctx.passwords.hash(PASSWORD)
  const row = { id, email, passwordHash, emailVerifiedAt: at, provider: 'custom', validFrom: at, createdAt: at, updatedAt: at }
  await atomically(forTenant(ctx.db, tenantId), (t) => insertUser(t, row))
  return { id, email }
}

type Traits = { readonly transport: 'internal' | 'usb'; readonly resident: boolean; readonly uv: boolean; readonly synced?: boolean }
const PLATFORM: Traits = { transport: 'internal', resident: true, uv: true }
type Visit = Watched & { readonly cdp: CDPSession; readonly authenticatorId: string }

const plugIn = async (cdp: CDPSession, { transport, resident, uv, synced = false }: Traits): Promise<string> => {
  const options = {
    protocol: 'ctap2',
    ctap2Version: 'ctap2_1',
    transport,
    hasResidentKey: resident,
    hasUserVerification: uv,
    isUserVerified: uv,
    automaticPresenceSimulation: true,
    defaultBackupEligibility: synced,
    defaultBackupState: synced,
  } as const
  return (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId
}
const visit = async (traits: Traits = PLATFORM): Promise<Visit> => {
  const watched = await system.open({ bypassCSP: true })
  const cdp = await watched.context.newCDPSession(watched.page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const authenticatorId = await plugIn(cdp, traits)
  await watched.page.goto(`${base}/`)
  await watched.page.addScriptTag({ url: `${base}/authsec/webauthn/passkey.js` })
  return { ...watched, cdp, authenticatorId }
}

/** Does what the page's own script does. */
const register = (page: Page, ceremony: Ceremony): Promise<CeremonyResult> =>
  page.evaluate((given) => (globalThis as unknown as OnPage).authsecPasskeys.registerPasskey(given), ceremony)
const show = (page: Page, ceremony?: Ceremony): Promise<CeremonyResult> =>
  page.evaluate((given) => (globalThis as unknown as OnPage).authsecPasskeys.assertPasskey(given), ceremony)

type Body = Readonly<Record<string, unknown>>
const call = async (path: string, body: Body, headers: Readonly<Record<string, string>> = {}): Promise<Body> => {
  const response = await fetch(`${system.base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, ...((await response.json()) as Body) }
}
const passwordStep = async ({ email }: Person): Promise<string> =>
  String((await call('/authsec/uflow/user/login', { client_id: clientId, email, password: PASSWORD })).login_ticket)
const lastStep = ({ email }: Person, transactionToken: string): Promise<Body> =>
  call('/authsec/uflow/auth/enduser/webauthn-callback', { email, tenant_id: tenantId, mfa_verified: true, login_ticket: transactionToken })
const claimsOf = (token: unknown): Body => JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString())

const ROOT = '/authsec/webauthn'
const bodyFor = (person: Person): Body => ({ email: person.email, tenant_id: tenantId, client_id: clientId })
const registration = (person: Person, by: Pick<Ceremony, 'ticket' | 'token'>): Ceremony => ({
  begin: `${ROOT}/enduser/beginRegistration`,
  finish: `${ROOT}/enduser/finishRegistration`,
  body: bodyFor(person),
  ...by,
})
const authentication = (person: Person, by: Pick<Ceremony, 'ticket' | 'token'>): Ceremony => ({
  begin: `${ROOT}/enduser/beginAuthentication`,
  finish: `${ROOT}/enduser/finishAuthentication`,
  body: bodyFor(person),
  ...by,
})
const passkeysOf = ({ id }: Person): Promise<Passkey[]> => findPasskeys(forTenant(system.ctx.db, tenantId), id)
/** A person whose first passkey is on the page's authenticator. */
const enrolled = async ({ page }: Visit): Promise<Person> => {
  const person = await newPerson()
  const done = await register(page, registration(person, { ticket: await passwordStep(person) }))
  expect(done).toMatchObject({ ok: true, body: { success: true } })
  return person
}

const KINDS: readonly (readonly [string, Traits, Body])[] = [
  ['platform, verifying', PLATFORM, { acr: 'aal3', amr: ['hwk', 'mfa', 'pwd', 'user'] }],
  ['platform, synchronised', { ...PLATFORM, synced: true }, { acr: 'aal3', amr: ['mfa', 'pwd', 'swk', 'user'] }],
  ['roaming, verifying, resident', { transport: 'usb', resident: true, uv: true }, { acr: 'aal3', amr: ['hwk', 'mfa', 'pwd', 'user'] }],
  ['roaming, no verification, no resident keys', { transport: 'usb', resident: false, uv: false }, { acr: 'aal3', amr: ['hwk', 'pwd', 'user'] }],
]

test.each(KINDS)('%s: registered in one login transaction, it is the second factor of the next', async (_, traits, claims) => {
  const here = await visit(traits)
  const person = await enrolled(here)
  const ticket = await passwordStep(person)
  expect((await lastStep(person, ticket)).status).toBe(401)
  expect(await show(here.page, authentication(person, { ticket }))).toMatchObject({ ok: true, body: { user_id: person.id } })
  const minted = await lastStep(person, ticket)
  expect(minted.status).toBe(200)
  expect(claimsOf(minted.access_token)).toMatchObject({ sub: person.id, tenant_id: tenantId, ...claims })
  const [passkey] = await passkeysOf(person)
  expect(passkey).toMatchObject({
    rpId: 'localhost',
    backupEligible: traits.synced === true,
    transports: [traits.transport],
    discoverable: traits.resident,
  })
  await here.context.close()
})

test('a passkey alone, without a user name, leads to a token', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const shown = await show(here.page)
  expect(shown).toMatchObject({ ok: true, body: { email: person.email, tenant_id: tenantId, mfa_required: false } })
  const minted = await lastStep(person, String(shown.body.login_ticket))
  expect(claimsOf(minted.access_token)).toMatchObject({ sub: person.id, acr: 'aal3', amr: ['hwk', 'user', 'mfa'] })
  // The challenge is already used.
  expect((await lastStep(person, String(shown.body.login_ticket))).status).toBe(401)
  await here.context.close()
})

test('a passkey alone is refused if the authenticator does not verify the user', async () => {
  const here = await visit()
  await enrolled(here)
  await here.cdp.send('WebAuthn.setUserVerified', { authenticatorId: here.authenticatorId, isUserVerified: false })
  expect(await show(here.page)).toMatchObject({ ok: false, code: 'NotAllowedError' })
  await here.context.close()
})

test('autofill: choosing a passkey in the form’s list signs in', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const available = await here.page.evaluate(() => (globalThis as unknown as OnPage).authsecPasskeys.isConditionalSupported())
  expect(available).toBe(true)
  const outcome = await here.page.evaluate(() => {
    const { PASSKEY, assertPasskey } = (globalThis as unknown as OnPage).authsecPasskeys
    return assertPasskey(PASSKEY, 'conditional')
  })
  expect(outcome).toMatchObject({ ok: true, body: { email: person.email } })
  await here.context.close()
})

test('an authenticator that has a passkey of the account is not registered twice', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const signedIn = await show(here.page)
  const token = String((await lastStep(person, String(signedIn.body.login_ticket))).access_token)
  expect(await register(here.page, registration(person, { token }))).toMatchObject({ ok: false, code: 'InvalidStateError' })
  expect(await passkeysOf(person)).toHaveLength(1)
  await plugIn(here.cdp, { transport: 'usb', resident: true, uv: true })
  await here.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: here.authenticatorId })
  expect(await register(here.page, registration(person, { token }))).toMatchObject({ ok: true })
  expect(await passkeysOf(person)).toHaveLength(2)
  await here.context.close()
})

test('a passkey renews the sign-in inside a session, and the page continues with a new token', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const signedIn = await show(here.page)
  const token = String((await lastStep(person, String(signedIn.body.login_ticket))).access_token)
  const renewed = await show(here.page, authentication(person, { token }))
  expect(renewed).toMatchObject({ ok: true, body: { acr: 'aal3', token_type: 'Bearer' } })
  expect(claimsOf(renewed.body.access_token).sid).toBe(claimsOf(token).sid)
  expect(await show(here.page, authentication(person, { token }))).toMatchObject({ ok: false, code: 'invalid_token' })
  await here.context.close()
})

test('a cloned authenticator with a lower counter is refused and raises the alarm', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const { credentials } = await here.cdp.send('WebAuthn.getCredentials', { authenticatorId: here.authenticatorId })
  for (let n = 0; n < 3; n++) expect(await show(here.page)).toMatchObject({ ok: true })
  await here.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: here.authenticatorId })
  const clone = await plugIn(here.cdp, PLATFORM)
  for (const credential of credentials) await here.cdp.send('WebAuthn.addCredential', { authenticatorId: clone, credential })
  expect(await show(here.page)).toMatchObject({ ok: false, code: 'passkey_refused' })
  const events = await findAuditEvents(forTenant(system.ctx.db, tenantId), { event: 'passkey.counter_regressed', limit: 10 })
  expect(events.map(({ subjectId }) => subjectId)).toContain(person.id)
  expect((await passkeysOf(person))[0]?.counterAlarmAt).toBeInstanceOf(Date)
  expect(await system.mailTo(person.email)).toContain('may have been copied')
  await here.context.close()
})

test('a removed passkey signs in no one, and the browser is asked to forget it', async () => {
  const here = await visit()
  const person = await enrolled(here)
  const signedIn = await show(here.page)
  const token = String((await lastStep(person, String(signedIn.body.login_ticket))).access_token)
  const [passkey] = await passkeysOf(person)
  const told = await here.page.evaluate(
    async ([path, bearer]) => {
      const response = await fetch(path ?? '', { method: 'DELETE', headers: { authorization: `Bearer ${bearer}` } })
      const body = await response.json()
      const { forgetCredential, signalAccepted } = (globalThis as unknown as OnPage).authsecPasskeys
      await forgetCredential(body.unknown)
      await signalAccepted(body.signals)
      return { status: response.status, body, knows: 'signalUnknownCredential' in PublicKeyCredential }
    },
    [`${ROOT}/passkeys/${passkey?.factorId}?accept_weaker=true`, token] as const,
  )
  expect(told).toMatchObject({ status: 200, body: { unknown: { rp_id: 'localhost', credential_id: passkey?.credentialId } }, knows: true })
  expect(await passkeysOf(person)).toEqual([])
  const { credentials } = await here.cdp.send('WebAuthn.getCredentials', { authenticatorId: here.authenticatorId })
  expect(credentials).toEqual([])
  await here.context.close()
})
