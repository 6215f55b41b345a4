// Second factors of an AuthSec database: sealed, in clear text, sealed with another key, without an owner, duplicated; and sign-ins with them after the import.
import { createCipheriv, randomBytes } from 'node:crypto'
import { hash } from 'bcryptjs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { asTenantId, forTenant, type TenantId } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { findPasskeys } from '#db/store/passkeys'
import { findTotpSecrets } from '#db/store/totp'
import { findUser } from '#db/store/users'
import type { ReportLine } from '#shared/domains/import/report'
import { importAuthsec } from '#shared/domains/import/run'
import { openSource } from '#shared/domains/import/source'
import { parseSourceKeys } from '#shared/domains/import/totp-seed'
import { authsecError } from '#shared/platform/http/problem'
import { startApp, type TestApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { authsecOriginal, type Original } from '#tests/support/authsec-original'
import { optionsOf, PAGE, postPasskey } from '#tests/support/passkeys'
import { bodyOf } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { authRoutes } from '../functions/auth/routes.ts'
import { oneTimeCodeRoutes } from '../functions/one-time-codes/routes.ts'
import { userRoutes } from '../functions/user/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { webauthnRoutes } from '../functions/webauthn/routes.ts'

const PASSWORD = 'what it was before'
const CREATED = '2024-05-01T10:00:00Z'
const SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
const SHORT_SEED = 'JBSWY3DPEHPK3PXP'
const KEY = '5a'.repeat(32)
const OTHER_KEY = '24'.repeat(32)

/** Sealed as the original does it, by an implementation independent of the one that opens it. */
const sealed = (text: string, key = KEY): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'hex'), nonce)
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

let bcrypt: string
let original: Original
let app: TestApp
beforeAll(async () => {
  bcrypt = await hash(PASSWORD, 4)
  original = await authsecOriginal()
  app = await startApp([...authRoutes, ...userSignInRoutes, ...userRoutes, ...webauthnRoutes, ...oneTimeCodeRoutes], { render: authsecError })
})
beforeEach(() => original.empty())
afterAll(() => original.close())

const id = (): string => app.ctx.random.id()
type Run = { readonly dryRun?: boolean; readonly keys?: string; readonly rpId?: string }
const run = async ({ dryRun = false, keys = KEY, rpId }: Run = {}) => {
  const lines: ReportLine[] = []
  const options = {
    dryRun,
    addresses: 'signed-in',
    keys: await parseSourceKeys(keys),
    rpId,
    report: (line: ReportLine) => void lines.push(line),
  } as const
  const summary = await importAuthsec(app.ctx, await openSource(original.query), options)
  const of = (rowId: string): readonly (string | undefined)[] =>
    lines.filter((line) => line.id === rowId).flatMap(({ action, reason }) => [action, ...(reason === undefined ? [] : [reason])])
  return { lines, summary, of }
}

type Acme = { readonly tenantId: TenantId; readonly clientId: string }
const company = async (more: Readonly<Record<string, unknown>> = {}): Promise<Acme> => {
  const [tenantId, clientId] = [id(), id()]
  const domain = `acme${tenantId.replaceAll('-', '').slice(-10)}.localhost`
  await original.insert('tenants', { id: tenantId, tenant_id: tenantId, name: 'Acme', tenant_domain: domain, created_at: CREATED, ...more })
  await original.insert('clients', { id: id(), client_id: clientId, tenant_id: tenantId, name: 'Default client', active: true })
  await original.insert('tenant_mappings', { client_id: clientId, tenant_id: tenantId })
  return { tenantId: asTenantId(tenantId), clientId }
}
type Person = { readonly id: string; readonly email: string }
const person = async (acme: Acme, more: Readonly<Record<string, unknown>> = {}): Promise<Person> => {
  const userId = id()
  const email = `p-${userId}@acme.example`
  const row = { id: userId, tenant_id: acme.tenantId, email, active: true, password_hash: bcrypt, last_login: CREATED, created_at: CREATED }
  await original.insert('users', { ...row, mfa_enabled: true, ...more })
  return { id: userId, email }
}
const add = async (table: string, row: Readonly<Record<string, unknown>>): Promise<string> => {
  const rowId = id()
  await original.insert(table, { id: rowId, ...row })
  return rowId
}
const totp = (acme: Acme, who: Person, secret: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> =>
  add('totp_secrets', { user_id: who.id, tenant_id: acme.tenantId, secret, device_name: 'Phone', created_at: 1_714_557_600, ...more })
const method = (who: Person, more: Readonly<Record<string, unknown>>): Promise<string> =>
  add('mfa_methods', { client_id: who.id, user_id: who.id, method_type: 'totp', enabled: true, verified: true, created_at: CREATED, ...more })
const passkeyOf = (who: Person, rpId = 'localhost', traits: Parameters<typeof authenticator>[1] = {}) => {
  const device = authenticator(PAGE, traits)
  device.create({ publicKey: { challenge: '', rp: { id: rpId }, user: { id: Buffer.from(who.id).toString('base64url') } } })
  const made = device.held[0]
  if (made === undefined) throw new Error('nothing was made')
  const row = {
    client_id: who.id,
    credential_id: Buffer.from(made.id, 'base64url'),
    public_key: made.keys.cose,
    attestation_type: 'none',
    sign_count: made.counter,
    transports: ['internal', 'of the future'],
    rp_id: rpId,
    created_at: CREATED,
  }
  return { device, made, row }
}

const login = async (acme: Acme, who: Person) => {
  const response = await app.request('/authsec/uflow/user/login', { body: { client_id: acme.clientId, email: who.email, password: PASSWORD } })
  const body = (await bodyOf(response)) as Readonly<Record<string, unknown>>
  return { ticket: String(body.login_ticket), body }
}
const mint = (acme: Acme, who: Person, transactionToken: string): Promise<Response> =>
  app.request('/authsec/uflow/auth/enduser/webauthn-callback', {
    body: { email: who.email, tenant_id: acme.tenantId, client_id: acme.clientId, mfa_verified: true, flow_context: 'enduser' },
    headers: { 'x-login-ticket': transactionToken },
  })

const verify = (acme: Acme, who: Person, transactionToken: string, code: string): Promise<Response> =>
  app.request('/authsec/webauthn/totp/verifyLogin', { body: { email: who.email, tenant_id: acme.tenantId, login_ticket: transactionToken, code } })

test('an app that was sealed in the source signs in after the import, with a code that was not used before', async () => {
  const acme = await company()
  const ann = await person(acme)
  const shown = appCode(SEED, app.clock.now())
  const factorId = await method(ann, { method_data: { secret_encrypted: sealed(SEED), algorithm: 'SHA1', digits: 6, period: 30 } })
  const { of } = await run()
  expect([of(ann.id), of(factorId)]).toEqual([['import'], ['import']])
  const { ticket, body } = await login(acme, ann)
  expect(body).toMatchObject({ otp_required: true, methods: ['totp'] })
  expect((await mint(acme, ann, ticket)).status).toBe(401)
  expect((await verify(acme, ann, ticket, shown)).status).toBe(400)
  app.clock.advance(60)
  expect((await verify(acme, ann, ticket, appCode(SEED, app.clock.now()))).status).toBe(200)
  const minted = await mint(acme, ann, ticket)
  expect(minted.status).toBe(200)
  // Sealed with our own keys, recorded in the audit log, and reported to the owner.
  const t = forTenant(app.db, acme.tenantId)
  const [kept] = await findTotpSecrets(t, [factorId])
  expect(Buffer.from(kept?.sealed ?? []).toString('latin1')).not.toContain(SEED)
  expect(await app.events(acme.tenantId)).toContainEqual(
    expect.objectContaining({ event: 'factor.added', actorType: 'system', targetId: factorId, subjectId: ann.id }),
  )
  const [mail] = await app.mailsTo(ann.email)
  expect(mail?.subject).toBe('Your second factors were moved to Acme')
  expect(mail?.text).toContain('An authenticator app')
  expect(mail?.text).not.toContain('backup codes')
})

test('apps in clear text are imported from either table, each once, the primary one first', async () => {
  const acme = await company()
  const ann = await person(acme, { mfa_enabled: false })
  const [one, again, other, unconfirmed, stopped] = [
    await totp(acme, ann, SEED.toLowerCase()),
    await add('tenant_totp_secrets', { user_id: ann.id, tenant_id: acme.tenantId, secret: SEED, is_verified: true, created_at: 1_714_557_600 }),
    await totp(acme, ann, `${SEED.slice(4)}ABCD`, { is_primary: true, device_name: 'Tablet', last_used: 1_714_560_000 }),
    await add('tenant_totp_secrets', { user_id: ann.id, tenant_id: acme.tenantId, secret: SEED, is_verified: false }),
    await totp(acme, ann, SEED, { is_active: false }),
  ]
  const { of } = await run()
  // Of two rows with the same seed the row of the tenant's own table is read first.
  expect([again, one, other, unconfirmed, stopped].map(of)).toEqual([
    ['import'],
    ['refuse', 'duplicate'],
    ['import'],
    ['refuse', 'not_in_use'],
    ['refuse', 'not_in_use'],
  ])
  const factors = await findFactors(forTenant(app.db, acme.tenantId), ann.id)
  expect(factors.map(({ id: factorId, name, isPrimary, lastUsedAt }) => [factorId, name, isPrimary, lastUsedAt?.getTime()])).toEqual([
    [other, 'Tablet', true, 1_714_560_000_000],
    [again, '', false, undefined],
  ])
  const { body } = await login(acme, ann)
  expect(body).toMatchObject({ otp_required: true })
})

test('an imported passkey signs in together with the password, never on its own, and its counter continues', async () => {
  const acme = await company()
  const ann = await person(acme)
  const { device, made, row } = passkeyOf(ann)
  const factorId = await add('credentials', { ...row, sign_count: 41, aaguid: 'bada5566-a7aa-401f-bd96-45619a55120d' })
  await method(ann, { method_type: 'webauthn', method_data: { credential_id: '00' } })
  const { of, lines } = await run()
  expect([of(factorId), lines.filter(({ table }) => table === 'mfa_methods')]).toEqual([['import'], []])
  const t = forTenant(app.db, acme.tenantId)
  expect(await findPasskeys(t, ann.id)).toEqual([
    expect.objectContaining({ factorId, credentialId: made.id, signCount: 41, rpId: 'localhost', transports: ['internal'], userVerified: false }),
  ])
  expect(await t.run({ text: 'select count(*)::int from authsec.passkey_directory where factor_id = $1', params: [factorId], arrays: true })).toEqual(
    [[0]],
  )
  const names = { email: ann.email, tenant_id: acme.tenantId as string }
  const sign = async (counter: number): Promise<Response> => {
    const { ticket } = await login(acme, ann)
    const options = await optionsOf(await postPasskey(app, '/beginAuthentication', names, { ticket }))
    const body = { ...names, session_id: options.session_id, credential: device.get(options, { counter }) }
    const done = await postPasskey(app, '/finishAuthentication', body, { ticket })
    return done.status === 200 ? mint(acme, ann, ticket) : done
  }
  expect((await sign(42)).status).toBe(200)
  expect((await sign(42)).status).toBe(401)
  expect((await app.mailsTo(ann.email)).map(({ text }) => text).join()).toContain('A passkey: 1Password')
})

test('rows that cannot be opened or are unsafe are reported one by one; a person without a remaining factor proves the mailbox first', async () => {
  const acme = await company()
  const made: Record<string, { readonly person: Person; readonly rows: readonly string[] }> = {}
  const one = async (name: string, ...rows: readonly ((who: Person) => Promise<string>)[]): Promise<void> => {
    const who = await person(acme)
    made[name] = { person: who, rows: await Promise.all(rows.map((row) => row(who))) }
  }
  await one('short', (who) => totp(acme, who, SHORT_SEED))
  await one('sealedShort', (who) => method(who, { method_data: { secret_encrypted: sealed(SHORT_SEED) } }))
  await one('otherKey', (who) => method(who, { method_data: { secret_encrypted: sealed(SEED, OTHER_KEY) } }))
  await one('torn', (who) => method(who, { method_data: { secret_encrypted: `${sealed(SEED).slice(0, -8)}AAAAAAA=` } }))
  await one('nonsense', (who) => totp(acme, who, 'it was 019 or so'))
  await one('eightDigits', (who) => method(who, { method_data: { secret_encrypted: sealed(SEED), digits: 8 } }))
  await one('sms', (who) => method(who, { method_type: 'sms', method_data: { phone_number: '+491701234567', phone_verified: true } }))
  await one('strangeKey', (who) => add('credentials', { ...passkeyOf(who).row, public_key: Buffer.from('a10101', 'hex') }))
  await one('unreadableKey', (who) => add('credentials', { ...passkeyOf(who).row, public_key: Buffer.from('ff', 'hex') }))
  await one('otherSite', (who) => add('credentials', passkeyOf(who, 'bank.example').row))
  await one('noSite', (who) => add('credentials', { ...passkeyOf(who).row, rp_id: null }))
  await one('counter', (who) => add('credentials', { ...passkeyOf(who).row, sign_count: 2 ** 32 }))
  const { of, lines } = await run()
  const told = Object.fromEntries(Object.entries(made).map(([name, { rows }]) => [name, rows.map((row) => of(row)[1]).join()]))
  expect(told).toEqual({
    short: 'secret_too_short',
    sealedShort: 'secret_too_short',
    otherKey: 'key_wrong_or_changed',
    torn: 'key_wrong_or_changed',
    nonsense: 'secret_unreadable',
    eightDigits: 'parameters_unsupported',
    sms: 'phone_must_be_confirmed_again',
    strangeKey: 'key_unsupported',
    unreadableKey: 'key_unsupported',
    otherSite: 'relying_party_of_another_site',
    noSite: 'relying_party_unknown',
    counter: 'counter_unreadable',
  })
  for (const { person: who } of Object.values(made)) {
    expect(of(who.id)).toEqual(['adapt', 'factor_must_be_enrolled_again'])
    expect(await findFactors(forTenant(app.db, acme.tenantId), who.id)).toEqual([])
    expect((await login(acme, who)).body).toMatchObject({ code: 'password_reset_required' })
    expect(await app.mailsTo(who.email)).toEqual([])
  }
  // A report may be kept and passed on, so it contains no secret, address or number.
  expect(JSON.stringify(lines)).not.toMatch(/JBSWY3|@acme|4917|localhost/)
})

test('backup codes are never imported, and their owner is asked to create new ones', async () => {
  const acme = await company()
  const ann = await person(acme)
  await totp(acme, ann, SEED)
  const [unspent, spent] = [
    await add('totp_backup_codes', { user_id: ann.id, tenant_id: acme.tenantId, code: 'a'.repeat(40) }),
    await add('totp_backup_codes', { user_id: ann.id, tenant_id: acme.tenantId, code: 'b'.repeat(40), is_used: true }),
  ]
  const bob = await person(acme)
  const both = await method(bob, { method_data: { secret_encrypted: sealed(SEED) }, backup_codes: JSON.stringify([sealed('ABCD1234')]) })
  const { of } = await run()
  expect([of(unspent), of(spent), of(both)]).toEqual([
    ['refuse', 'backup_codes_must_be_made_anew'],
    ['refuse', 'spent'],
    ['import', 'refuse', 'backup_codes_must_be_made_anew'],
  ])
  for (const { email } of [ann, bob]) expect((await app.mailsTo(email))[0]?.text).toContain('Your previous backup codes are not valid here')
  const text = 'select count(*)::int from authsec.backup_codes where tenant_id = $1'
  expect(await forTenant(app.db, acme.tenantId).run({ text, params: [acme.tenantId], arrays: true })).toEqual([[0]])
})

test('a row is refused unless it names exactly one person of the company', async () => {
  const [acme, globex] = [await company(), await company()]
  const [ann, bob, eve] = [await person(acme), await person(acme, { client_id: acme.clientId }), await person(globex)]
  const cat = await person(acme, { client_id: acme.clientId })
  const gone = await person(acme, { deleted_at: CREATED })
  const lone = await person(acme, { client_id: id() })
  const [loneClient] = await original.query('select client_id from users where id = $1', [lone.id])
  const rows = {
    ofAnother: await totp(acme, eve, SEED),
    ofNobody: await totp(acme, { id: id(), email: '' }, SEED),
    ofTwo: await method(ann, { client_id: eve.id, user_id: ann.id, method_data: { secret_encrypted: sealed(SEED) } }),
    ofTheClient: await add('credentials', { ...passkeyOf(bob).row, client_id: acme.clientId }),
    ofTheLoneClient: await add('credentials', { ...passkeyOf(lone).row, client_id: loneClient?.client_id }),
    ofTheGone: await totp(acme, gone, SEED),
    lost: await add('credentials', { ...passkeyOf(bob).row, client_id: id() }),
  }
  const { lines } = await run()
  const auditDetails = (rowId: string): readonly string[] =>
    lines.filter((line) => line.id === rowId).map(({ action, reason }) => (reason === undefined ? action : reason))
  expect(Object.fromEntries(Object.entries(rows).map(([name, rowId]) => [name, [...new Set(auditDetails(rowId))]]))).toEqual({
    ofAnother: ['person_missing_or_of_another_tenant'],
    ofNobody: ['person_missing_or_of_another_tenant'],
    ofTwo: ['owner_ambiguous'],
    ofTheClient: ['owner_ambiguous'],
    ofTheLoneClient: ['import'],
    ofTheGone: ['person_deleted'],
    lost: ['without_tenant'],
  })
  for (const who of [ann, bob, cat, gone]) expect(await findFactors(forTenant(app.db, acme.tenantId), who.id)).toEqual([])
  expect(await findFactors(forTenant(app.db, globex.tenantId), eve.id)).toEqual([])
})

test('passkeys of an unverified domain wait next to another factor, and are refused as the only factor', async () => {
  const domain = `id-${id()}.example`
  const acme = await company({ tenant_domain: domain })
  const [ann, bob] = [await person(acme), await person(acme)]
  await totp(acme, bob, SEED)
  const [alone, beside] = [await add('credentials', passkeyOf(ann, domain).row), await add('credentials', passkeyOf(bob, domain).row)]
  const unnamed = await add('credentials', { ...passkeyOf(bob).row, rp_id: null })
  const { of } = await run({ rpId: 'localhost' })
  expect([of(alone), of(beside), of(unnamed)]).toEqual([['refuse', 'domain_must_be_proved_first'], ['adapt', 'domain_must_be_proved'], ['import']])
  expect((await login(acme, ann)).body).toMatchObject({ code: 'password_reset_required' })
  // Once the domain is verified, another run imports the passkey, because she has not signed in since.
  await forTenant(app.db, acme.tenantId).run({
    text: `update authsec.domain_directory set is_verified = true where domain = $1`,
    params: [domain],
    arrays: true,
  })
  const again = await run()
  expect(again.of(alone)).toEqual(['import'])
  expect((await login(acme, ann)).body).toMatchObject({ webauthn_required: true })
})

test('a dry run reports the same and saves nothing; a second run adds nothing and never restores what was removed here', async () => {
  const acme = await company()
  const [ann, bob] = [await person(acme), await person(acme)]
  const [app1, passkey] = [await totp(acme, ann, SEED), await add('credentials', passkeyOf(bob).row)]
  const dry = await run({ dryRun: true })
  expect(await app.mailsTo(ann.email)).toEqual([])
  const real = await run()
  expect(real.lines).toEqual(dry.lines)
  const again = await run()
  expect(again.summary.tenants).toEqual({ imported: 0, unchanged: 1, refused: 0 })
  expect([again.of(app1), again.of(passkey)]).toEqual([
    ['unchanged', 'exists'],
    ['unchanged', 'exists'],
  ])
  const t = forTenant(app.db, acme.tenantId)
  await t.run({ text: 'delete from authsec.factors where tenant_id = $1', params: [acme.tenantId], arrays: true })
  const newer = await totp(acme, bob, SEED, { created_at: 1_767_225_600 })
  const third = await run()
  expect([third.of(app1), third.of(passkey), third.of(newer)]).toEqual([
    ['unchanged', 'as_it_is_here'],
    ['unchanged', 'as_it_is_here'],
    ['unchanged', 'as_it_is_here'],
  ])
  expect(await findFactors(t, ann.id)).toEqual([])
})

test('after a run with the wrong key, a run with the right one imports the factors of people who have not signed in since', async () => {
  const acme = await company()
  const [ann, bob] = [await person(acme), await person(acme)]
  const [hers, bobs] = [
    await method(ann, { method_data: { secret_encrypted: sealed(SEED) } }),
    await method(bob, { method_data: { secret_encrypted: sealed(SEED) } }),
  ]
  const none = await run({ keys: '' })
  expect([none.of(hers), none.of(ann.id)]).toEqual([
    ['refuse', 'key_missing'],
    ['adapt', 'factor_must_be_enrolled_again'],
  ])
  const wrong = await run({ keys: OTHER_KEY })
  expect(wrong.of(hers)).toEqual(['refuse', 'key_wrong_or_changed'])
  const t = forTenant(app.db, acme.tenantId)
  // Bob has reset the password and signed in meanwhile.
  await t.run({ text: 'update authsec.users set password_reset_required = false where id = $1', params: [bob.id], arrays: true })
  const right = await run({ keys: `${OTHER_KEY},${KEY}` })
  expect([right.of(hers), right.of(bobs)]).toEqual([['import'], ['unchanged', 'as_it_is_here']])
  expect(await findUser(t, ann.id)).toMatchObject({ passwordResetRequired: false })
  expect((await login(acme, ann)).body).toMatchObject({ otp_required: true })
  expect(await findFactors(t, bob.id)).toEqual([])
})

test('a person imported by a later run keeps their factors; a credential id that is already registered here is refused', async () => {
  const acme = await company()
  const ann = await person(acme)
  const { row } = passkeyOf(ann)
  await add('credentials', row)
  await run()
  const late = await person(acme, { created_at: '2026-01-05T00:00:00Z' })
  const [app1, stolen] = [await totp(acme, late, SEED), await add('credentials', { ...row, client_id: late.id })]
  const { of } = await run()
  expect([of(late.id), of(app1), of(stolen)]).toEqual([['import'], ['import'], ['refuse', 'duplicate']])
  // The credential id stays registered here even if the first owner's row is gone in the source.
  await original.query('delete from credentials where client_id = $1', [ann.id])
  const later = await person(acme, { created_at: '2026-02-05T00:00:00Z' })
  const [other, taken] = [await totp(acme, later, SEED), await add('credentials', { ...row, client_id: later.id })]
  await original.query('delete from credentials where client_id = $1', [late.id])
  const last = await run()
  expect([last.of(other), last.of(taken)]).toEqual([['import'], ['refuse', 'credential_exists']])
})

test('keys must be complete', async () => {
  await expect(parseSourceKeys('5a5a')).rejects.toThrow('key 1 must be 64 hexadecimal digits')
  await expect(parseSourceKeys(`${KEY},${KEY.slice(2)}zz`)).rejects.toThrow('key 2')
  expect(await parseSourceKeys(undefined)).toEqual([])
})
