// Which person a login ticket or session stands for when a factor is verified or added, and what is recorded.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { revokeSessions } from '#db/store/sessions'
import { lockUser, type NewUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { enrolFactor } from '#shared/domains/factors/enrolment'
import { type FactorContext, loadFactorContext } from '#shared/domains/factors/factor-context'
import { MAX_FACTORS } from '#shared/domains/factors/policy'
import { userOrNobody } from '#shared/platform/http/access'
import { empty, routeFor } from '#shared/platform/http/route'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { CODES, factorState, loginTransactionFor, mintEndUser, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, change, eventsOf, enrol as insertOther, outcomeOf } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const verifyLogin = (app: TestApp, body: object) => app.request(`${CODES}/verifyLogin`, { body })
const NEEDED = { status: 401, body: { error: 'Authentication required.', message: 'Authentication required.', code: 'authentication_required' } }

type Change = readonly [what: string, set: (now: Date) => Partial<NewUser>]
const CHANGES: readonly Change[] = [
  ['is disabled', () => ({ active: false })],
  ['is removed', (now) => ({ deletedAt: now })],
  ['must choose a new password', () => ({ passwordResetRequired: true })],
  ['was signed out everywhere', (now) => ({ validFrom: new Date(now.getTime() + 1000) })],
]

test.each(CHANGES)('a person who %s while signing in is not authenticated: the right code is refused and nothing changes', async (_, set) => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const login_ticket = await loginTransactionFor(app, company, pat)
  await change(app, pat, set(app.clock.now()))
  const before = await factorState(app, company.tenantId)
  expect(await outcomeOf(await verifyLogin(app, whoIs(pat, { login_ticket, code: appCode(seed, app.clock.now()) })))).toEqual(NEEDED)
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('a ticket is refused with another address or another tenant', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const other = await app.person(company)
  const globex = await app.company('globex')
  const login_ticket = await loginTransactionFor(app, company, pat)
  const code = appCode(seed, app.clock.now())
  const before = await factorState(app, company.tenantId)
  for (const claimed of [{ tenant_id: globex.tenantId }, { email: other.email }, { email: globex.admin.email, tenant_id: globex.tenantId }])
    expect(await outcomeOf(await verifyLogin(app, whoIs(pat, { login_ticket, code, ...claimed })))).toEqual(NEEDED)
  expect(await factorState(app, company.tenantId)).toEqual(before)
  expect((await verifyLogin(app, whoIs(pat, { login_ticket, code, tenant_id: pat.tenantId.toUpperCase() }))).status).toBe(200)
  expect((await mintEndUser(app, pat, login_ticket)).status).toBe(200)
})

test('a step-up is recorded with the previous state of the session', async () => {
  const { app, company, pat } = await start()
  const token = await app.token(pat)
  const { seed } = await setUpApp(app, pat, { token })
  expect((await app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code: appCode(seed, app.clock.now()) }) })).status).toBe(200)
  expect(await eventsOf(app, company.tenantId, 'codes.totp.verify')).toEqual(['factor.verified', 'session.stepped_up'])
})

type Meanwhile = (world: { readonly app: TestApp; readonly pat: Person; readonly factorContext: FactorContext }) => Promise<unknown>

/** A ceremony in one request: begins to add a factor, runs `happens`, and finishes. */
const enrolAfter = async (by: 'ticket' | 'session', happens: Meanwhile, amr: readonly string[] = ['pwd']): Promise<unknown> => {
  const held: { app?: TestApp; pat?: Person; before?: unknown } = {}
  const adding = routeFor<RequestCtx>()({
    id: 't.enrol',
    on: 'POST /t/enrol',
    summary: 'A test.',
    access: userOrNobody('The ticket is the proof.', { class: 'general' }),
    body: z.strictObject({ login_ticket: z.string().optional() }),
    reply: empty(204),
    errors: ['authentication_required', 'insufficient_user_authentication', 'factor_limit'],
    emits: ['factor.added'],
    handle: async ({ ctx, principal, body }) => {
      const { app, pat } = held
      if (app === undefined || pat === undefined) throw new Error('not started')
      const factorContext = await loadFactorContext(ctx, principal, body, 'factor.added')
      await happens({ app, pat, factorContext })
      held.before = await factorState(app, pat.tenantId)
      await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
        await lockUser(t, pat.id)
        await enrolFactor(t, ctx, factorContext, { id: ctx.random.id(), kind: 'totp', name: '', amr: ['otp'], store: async () => undefined })
      })
      return undefined
    },
  })
  const app = await startApp([...authRoutes, ...userSignInRoutes, adding] as never)
  const company = await app.company()
  const pat = await app.person(company)
  Object.assign(held, { app, pat })
  const response = await app.request('/t/enrol', {
    ...(by === 'session' ? { token: await app.token(pat, amr) } : {}),
    body: by === 'ticket' ? { login_ticket: await loginTransactionFor(app, company, pat) } : {},
  })
  if (response.status === 204) return 'added'
  expect(await factorState(app, company.tenantId)).toEqual(held.before)
  return (await bodyOf(response)).code
}

describe.each(['ticket', 'session'] as const)('by a %s', (by) => {
  test('a factor is added if nothing changed meanwhile', async () => {
    expect(await enrolAfter(by, async () => undefined)).toBe('added')
  })

  const ended = CHANGES.filter(([what]) => !what.startsWith('must'))
  test.each(ended)('a person who %s between beginning and end adds no factor', async (_, set) => {
    expect(await enrolAfter(by, ({ app, pat }) => change(app, pat, set(app.clock.now())))).toBe('authentication_required')
  })
})

test('a password adds no factor if another one was added meanwhile', async () => {
  expect(await enrolAfter('ticket', ({ app, pat }) => insertOther(app, pat, 'webauthn'))).toBe('authentication_required')
  expect(await enrolAfter('session', ({ app, pat }) => insertOther(app, pat, 'webauthn'))).toBe('insufficient_user_authentication')
})

test('a person cannot have more factors than the limit', async () => {
  const having =
    (count: number): Meanwhile =>
    async ({ app, pat }) => {
      for (let n = 0; n < count; n++) await insertOther(app, pat, 'webauthn')
    }
  expect(await enrolAfter('session', having(MAX_FACTORS - 1), ['pwd', 'otp'])).toBe('added')
  expect(await enrolAfter('session', having(MAX_FACTORS), ['pwd', 'otp'])).toBe('factor_limit')
})

test('a session or a ticket that ended meanwhile adds no factor', async () => {
  const revoke: Meanwhile = ({ app, pat }) => atomically(forTenant(app.db, pat.tenantId), (t) => revokeSessions(t, pat.id, app.clock.now(), 'test'))
  const end: Meanwhile = ({ app, pat }) =>
    atomically(forTenant(app.db, pat.tenantId), (t) => endLoginTransactions(t, pat.id, app.clock.now(), 'login'))
  expect(await enrolAfter('session', revoke)).toBe('authentication_required')
  expect(await enrolAfter('ticket', end)).toBe('authentication_required')
})
