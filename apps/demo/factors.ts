// The part of the demo about second factors, the company's sign-in settings, and a device that signs in after approval on another screen.
import { codeOf, stepAt } from '#shared/domains/factors/totp-code'
import { type Browser, check, say, step } from './narrator.ts'

type Who = { readonly tenantId: string; readonly clientId: string; readonly email: string; readonly password: string }

const SETTINGS = '/tenant/settings'
const expect = (is: boolean, what: string): void => {
  if (!is) throw new Error(what)
}

/** Adds an authenticator app to the account; returns its key and the time step of the code that was used. */
const addApp = (browser: Browser, { email, tenantId }: Who, token: string): Promise<{ readonly seed: string; readonly spent: number }> =>
  step('The administrator adds an authenticator app; the key is returned once, together with ten backup codes', async () => {
    const who = { email, tenant_id: tenantId }
    const seed = String(check(await browser.post('/authsec/webauthn/totp/beginSetup', who, token), 200).secret)
    const spent = stepAt(new Date())
    const confirmed = check(
      await browser.post('/authsec/webauthn/totp/confirmSetup', { ...who, secret: seed, code: await codeOf(seed, spent) }, token),
      200,
    )
    const codes = confirmed.backup_codes
    expect(Array.isArray(codes) && codes.length === 10, 'expected ten backup codes')
    return { seed, spent }
  })

const signInWithApp = (browser: Browser, { email, password, tenantId }: Who, seed: string, spent: number): Promise<string> =>
  step('From now on the password returns a login ticket and no token; the app code returns the token', async () => {
    const first = check(await browser.post('/authsec/uflow/auth/admin/login', { email, password }), 200)
    expect(!('token' in first), 'the password alone returned a token')
    const who = { email, tenant_id: tenantId }
    check(await browser.post('/authsec/webauthn/totp/verifyLogin', { ...who, code: await codeOf(seed, spent) }), 400)
    say('the code that confirmed the app cannot be used again')
    check(await browser.post('/authsec/webauthn/totp/verifyLogin', { ...who, code: await codeOf(seed, spent + 1) }), 200)
    const done = check(await browser.post('/authsec/uflow/login/webauthn-callback', { ...who, mfa_verified: true }), 200)
    return String(done.access_token ?? done.token)
  })

const decide = async (browser: Browser, weak: string, strong: string): Promise<void> => {
  await step('The company\u2019s settings: a change needs the ETag that was read, and administrators cannot lock themselves out', async () => {
    const read = check(await browser.get(SETTINGS, strong), 200)
    expect(read.require_second_factor === false, 'a second factor is already required')
    const refused = check(await browser.patch(SETTINGS, { require_second_factor: true }, weak), 409)
    say(`"${String(refused.detail ?? refused.title ?? refused.code)}"`)
    const changed = check(await browser.patch(SETTINGS, { require_second_factor: true, ciba_number_matching: true }, strong), 200)
    expect(changed.require_second_factor === true, 'the change was not saved')
  })
  await step('It takes effect immediately: sessions with only a password have ended', async () => void check(await browser.get(SETTINGS, weak), 401))
  await step(
    'Undoing it weakens protection, so it requires a recent sign-in with two factors, and the other administrators are notified by mail',
    async () => {
      const back = check(await browser.patch(SETTINGS, { require_second_factor: null }, strong), 200)
      expect(back.require_second_factor === false, 'the setting was not undone')
    },
  )
}

const device = (browser: Browser, { clientId, email }: Who, token: string): Promise<void> =>
  step('A television shows a code; the administrator approves it, and the television is signed in, once', async () => {
    const base = '/authsec/uflow/auth/device'
    const begun = check(await browser.post(`${base}/code`, { client_id: clientId }), 200)
    say(`${String(begun.verification_uri)}, code ${String(begun.user_code)}`)
    check(await browser.post(`${base}/verify`, { user_code: begun.user_code, approve: true }, token), 200)
    const poll = { device_code: begun.device_code, client_id: clientId }
    const done = check(await browser.post(`${base}/token`, poll), 200)
    expect(done.email === email && typeof done.access_token === 'string', 'the device received no token')
    check(await browser.post(`${base}/token`, poll), 400)
  })

/** @param weak the token of a session with only a password */
export const tellFactors = async (browser: Browser, who: Who, weak: string): Promise<string> => {
  const { seed, spent } = await addApp(browser, who, weak)
  const strong = await signInWithApp(browser, who, seed, spent)
  await decide(browser, weak, strong)
  await device(browser, who, strong)
  return strong
}
