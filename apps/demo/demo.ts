// `npm run demo`: a walk through the main features, step by step, against a running server (DEMO_URL) or one of its own. The first unexpected response fails it.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '../local/local.ts'
import { tellFactors } from './factors.ts'
import { Browser, check, say, step } from './narrator.ts'

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

const PASSWORD = 'plum-violet-anchor-canyon'
const unique = Math.floor(performance.timeOrigin).toString(36)

type Company = { readonly tenantId: string; readonly clientId: string; readonly email: string }

const signUp = async (browser: Browser, label: string): Promise<Company> => {
  const email = `owner@${label}-${unique}.example`
  await step(`${label} signs up, and receives a code by mail`, async () => {
    const body = { email, password: PASSWORD, name: `Owner of ${label}`, tenant_domain: `${label}-${unique}` }
    check(await browser.post('/authsec/uflow/auth/admin/register', body), 201)
  })
  return step(`${label} verifies the address; tenant, administrator, project and client exist`, async () => {
    const done = check(await browser.post('/authsec/uflow/auth/admin/complete-registration', { email, otp: await browser.code(email) }), 201)
    say(`tenant ${done.tenant_id}, client ${done.client_id}`)
    return { tenantId: String(done.tenant_id), clientId: String(done.client_id), email }
  })
}

const signIn = (browser: Browser, company: Company): Promise<string> =>
  step('The administrator signs in and receives a token', async () => {
    const answer = check(await browser.post('/authsec/uflow/auth/admin/login', { email: company.email, password: PASSWORD }), 200)
    return String(answer.token)
  })

const endUser = async (browser: Browser, company: Company): Promise<string> => {
  const email = `user-${unique}@people.example`
  await step('An end user registers at the client and verifies the address', async () => {
    check(await browser.post('/authsec/uflow/user/register/initiate', { client_id: company.clientId, email, password: PASSWORD }), 200)
    const otp = await browser.code(email)
    check(await browser.post('/authsec/uflow/user/register/complete', { client_id: company.clientId, email, otp }), 200)
  })
  return step('The end user signs in: the password returns a login ticket, the ticket returns the token', async () => {
    const first = check(await browser.post('/authsec/uflow/user/login', { client_id: company.clientId, email, password: PASSWORD }), 200)
    if ('token' in first) throw new Error('the first step returned a token')
    const last = { email, tenant_id: company.tenantId, mfa_verified: true }
    check(await new Browser(browser.base).post('/authsec/uflow/auth/enduser/webauthn-callback', last), 401)
    say('the last step is refused without the ticket')
    return String(check(await browser.post('/authsec/uflow/auth/enduser/webauthn-callback', last), 200).access_token)
  })
}

type Page = { readonly events: readonly { readonly event: string; readonly outcome: string; readonly reason: string | null }[] }

const story = async (base: string): Promise<void> => {
  const browser = new Browser(base)
  const acme = await signUp(browser, 'acme')
  await step('A wrong password is refused and discloses nothing', async () => {
    const answer = check(await browser.post('/authsec/uflow/auth/admin/login', { email: acme.email, password: 'not this one at all' }), 401)
    say(`"${String(answer.error)}"`)
  })
  const weak = await signIn(browser, acme)
  const token = await tellFactors(new Browser(base), { ...acme, password: PASSWORD }, weak)
  const userToken = await endUser(browser, acme)
  await step('The administrator reads the audit log: every change and every refusal', async () => {
    const page = check(await browser.get('/audit/events', token), 200) as unknown as Page
    for (const { event, outcome, reason } of page.events.slice(0, 8)) say(`${event}${outcome === 'refused' ? `  refused: ${reason}` : ''}`)
    if (!page.events.some(({ outcome }) => outcome === 'refused')) throw new Error('the refusal is not in the audit log')
  })
  await step('The end user may not read the audit log', async () => void check(await browser.get('/audit/events', userToken), 403))
  const globex = await signUp(browser, 'globex')
  await step('Another company does not see these events', async () => {
    const other = await signIn(browser, globex)
    const page = check(await browser.get('/audit/events?limit=200', other), 200)
    if (JSON.stringify(page).includes(acme.tenantId)) throw new Error('the audit log of another company leaked')
    check(await browser.post('/authsec/uflow/auth/notify/new-user-registration', { tenant_id: acme.tenantId }, other), 403)
  })
  await step('The end user signs out: the token is refused immediately', async () => {
    check(await browser.post('/account/sign-out', undefined, userToken), 204)
    check(await browser.get('/account/sessions', userToken), 401)
  })
}

const main = async (): Promise<void> => {
  const given = process.env.DEMO_URL
  if (given !== undefined) return story(given.replace(/\/+$/, ''))
  const folder = mkdtempSync(join(tmpdir(), 'authsec-demo-'))
  const port = await freePort()
  const quiet = process.stdout.write.bind(process.stdout)
  // The server's log lines would hide the demo's output.
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: never[]) =>
    String(chunk).startsWith('{"at":') ? true : quiet(chunk, ...rest)) as typeof process.stdout.write
  const server = await start({ DATA_DIR: folder, PORT: String(port), ENVIRONMENT: 'development', RATE_LIMIT: 'off' }, () => undefined)
  try {
    await story(server.url)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

try {
  await main()
  console.log('\nAll steps passed.')
} catch (error) {
  console.error(`\nFAILED: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
