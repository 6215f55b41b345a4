// The one-time link for a first password.
import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { updateTenantSettings } from '#db/store/tenants'
import { findAdministeredTenants, findUser, updateUser } from '#db/store/users'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { problem } from '#shared/platform/http/problem'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { accountRoutes } from './routes.ts'

const PATH = '/account/set-password'
const NEW = 'seven purple lanterns over water'
const start = () => startApp(accountRoutes, { render: problem })

/** A person who was invited: no password, address not verified. */
const invited = async (app: TestApp, company: Company): Promise<Person> => {
  const person = await app.person(company, 'admin')
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await updateUser(t, person.id, { passwordHash: null, emailVerifiedAt: null })
    await mailSetPasswordLink(t, app.ctx, { userId: person.id, email: person.email, purpose: 'invitation', invitedBy: 'Ada Admin' })
  })
  return person
}
const linkIn = async (app: TestApp, address: string): Promise<URL> => {
  const text = (await app.mailsTo(address)).at(-1)?.text ?? ''
  return new URL(/^http\S+$/m.exec(text)?.[0] ?? 'http://no.link')
}
const ticketIn = async (app: TestApp, address: string): Promise<string> =>
  new URLSearchParams((await linkIn(app, address)).hash.slice(1)).get('ticket') ?? ''
const set = (app: TestApp, ticket: string, new_password = NEW) => app.request(PATH, { body: { ticket, new_password } })
const open = (app: TestApp, ticket: string) => app.request(`${PATH}/link`, { body: { ticket } })
const reported = async (response: Response): Promise<unknown> => {
  const { request_id: _, ...body } = await response.json()
  return body
}
const EXPIRED = {
  type: 'http://localhost:7468/errors/link_expired',
  title: 'The link is unknown, used or expired. Ask for a new one.',
  status: 400,
  code: 'link_expired',
}

test('the link opens the page of this deployment, with its secret in the fragment', async () => {
  const app = await start()
  const acme = await app.company()
  const { email } = await invited(app, acme)
  const link = await linkIn(app, email)
  expect(`${link.origin}${link.pathname}`).toBe(`${app.config.BASE_URL}${PATH}`)
  expect(link.search).toBe('')
  expect(link.hash).toMatch(new RegExp(`^#ticket=${acme.tenantId}\\.[\\w-]{43}$`))
  expect((await app.mailsTo(email)).at(-1)?.subject).toBe(`You are invited to ${acme.name}`)
})

test('the link sets the password once, verifies the address and notifies the owner', async () => {
  const app = await start()
  const acme = await app.company()
  const { email, id } = await invited(app, acme)
  const transactionToken = await ticketIn(app, email)
  expect((await set(app, transactionToken)).status).toBe(204)
  const user = await findUser(forTenant(app.db, acme.tenantId), id)
  expect(user).toMatchObject({ emailVerifiedAt: app.clock.now(), temporaryPassword: false })
  expect((await app.ctx.passwords.verify(NEW, user?.passwordHash ?? '')).fits).toBe(true)
  expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, email))).toEqual([acme.tenantId])
  expect((await app.mailsTo(email)).at(-1)?.subject).toContain('was changed')
  expect(await reported(await set(app, transactionToken, 'quiet marble under the bridge'))).toEqual(EXPIRED)
  expect(await reported(await open(app, transactionToken))).toEqual(EXPIRED)
  const events = (await app.events(acme.tenantId)).filter(({ targetId, route }) => targetId === id && route === 'account.setPassword')
  expect(events.map(({ event }) => event).toSorted()).toEqual(['user.email_verified', 'user.password_changed'])
  expect((await findUser(forTenant(app.db, acme.tenantId), id))?.passwordHash).toBe(user?.passwordHash)
})

test('opening the link returns its account and does not use it up', async () => {
  const app = await start()
  const acme = await app.company()
  const { email, tenantId } = await invited(app, acme)
  const transactionToken = await ticketIn(app, email)
  expect(await reported(await open(app, transactionToken))).toEqual({ tenant_name: acme.name, email, shortest: 15 })
  await atomically(forTenant(app.db, tenantId), (t) => updateTenantSettings(t, { requireSecondFactor: true }, app.clock.now()))
  expect(await reported(await open(app, transactionToken))).toEqual({ tenant_name: acme.name, email, shortest: 10 })
  expect((await set(app, transactionToken, 'ten is enough')).status).toBe(204)
})

test('a refused password does not use up the link', async () => {
  const app = await start()
  const { email } = await invited(app, await app.company())
  const transactionToken = await ticketIn(app, email)
  for (const [password, code] of [
    ['too short', 'password_too_short'],
    ['long '.repeat(30), 'password_too_long'],
    ['passwordpassword', 'password_breached'],
    [email, 'password_guessable'],
  ] as const) {
    expect(await reported(await set(app, transactionToken, password))).toMatchObject({ status: 400, code, field: 'body.new_password' })
  }
  expect((await set(app, transactionToken)).status).toBe(204)
})

test('an unknown, expired or replaced link, one of another purpose, or of a disabled, moved or suspended account gets one response', async () => {
  const app = await start()
  const acme = await app.company()
  const [old, replaced, disabled, moved] = [await invited(app, acme), await invited(app, acme), await invited(app, acme), await invited(app, acme)]
  const t = forTenant(app.db, acme.tenantId)
  const first = await ticketIn(app, replaced.email)
  await atomically(t, async (tx) => {
    await mailSetPasswordLink(tx, app.ctx, { userId: replaced.id, email: replaced.email, purpose: 'invitation' })
    await setUserActive(tx, disabled.id, false, app.clock.now())
    await updateUser(tx, moved.id, { email: `moved-${moved.email}` })
  })
  const login = await atomically(t, (tx) =>
    startLoginTransaction(tx, app.ctx, {
      purpose: 'login',
      userId: old.id,
      clientId: null,
      verified: ['pwd'],
      data: { email: old.email },
      seconds: 600,
    }),
  )
  const second = await ticketIn(app, replaced.email)
  expect(second).not.toBe(first)
  const links = [
    `${acme.tenantId}.${'a'.repeat(43)}`,
    'nonsense',
    login,
    first,
    await ticketIn(app, disabled.email),
    await ticketIn(app, moved.email),
    `${acme.tenantId.replace(/^./, (c) => (c === '0' ? '1' : '0'))}${(await ticketIn(app, old.email)).slice(36)}`,
  ]
  for (const transactionToken of links) {
    expect(await reported(await set(app, transactionToken))).toEqual(EXPIRED)
    expect(await reported(await open(app, transactionToken))).toEqual(EXPIRED)
  }
  const aged = await ticketIn(app, old.email)
  app.clock.advance(24 * 3600 - 1)
  expect((await open(app, aged)).status).toBe(200)
  await t.run({ text: `update authsec.tenants set status = 'suspended' where tenant_id = $1`, params: [acme.tenantId], arrays: true })
  expect(await reported(await open(app, aged))).toEqual(EXPIRED)
  await t.run({ text: `update authsec.tenants set status = 'active' where tenant_id = $1`, params: [acme.tenantId], arrays: true })
  app.clock.advance(1)
  expect(await reported(await set(app, aged))).toEqual(EXPIRED)
})

test('a wrong link leaves no event in the audit log of the tenant that it names', async () => {
  const app = await start()
  const acme = await app.company()
  const before = (await app.events(acme.tenantId)).length
  await set(app, `${acme.tenantId}.${'a'.repeat(43)}`)
  expect((await app.events(acme.tenantId)).length).toBe(before)
})

test('one of twenty concurrent requests sets the password', async () => {
  const app = await start()
  const { email } = await invited(app, await app.company())
  const transactionToken = await ticketIn(app, email)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => set(app, transactionToken, `${NEW} ${n}`)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, ...Array<number>(19).fill(400)])
})

test('the page has no personal data, follows Accept-Language, and allows only its own script', async () => {
  const app = await start()
  const page = await app.request(PATH, { headers: { 'accept-language': 'de-AT,de;q=0.9,en;q=0.5' } })
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.headers.get('vary')).toContain('Accept-Language')
  const policy = page.headers.get('content-security-policy') ?? ''
  const nonce = /script-src 'nonce-([\w-]{43})'/.exec(policy)?.[1] ?? 'none'
  expect(policy).not.toContain('unsafe')
  expect(policy).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/)
  const html = await page.text()
  expect(html).toContain('<html lang="de">')
  expect([...html.matchAll(/<(?:script|style)[^>]*>/g)].map(([tag]) => tag)).toEqual([`<style nonce="${nonce}">`, `<script nonce="${nonce}">`])
  expect(html).not.toMatch(/ style=| on\w+=|<script[^>]*src/)
  expect(await (await app.request(PATH)).text()).toContain('<html lang="en">')
  const again = await app.request(PATH)
  expect(again.headers.get('content-security-policy')).not.toBe(policy)
})
