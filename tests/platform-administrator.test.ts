import { beforeEach, expect, test } from 'vitest'
import { asOwner, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findAdministeredTenants, findLivePermissions, findUserByEmail } from '#db/store/users'
import { invitePlatformAdministrator } from '#shared/domains/administration/platform-administrator'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { problem } from '#shared/platform/http/problem'
import { accountRoutes } from '../functions/account/routes.ts'
import { startApp } from './support/app.ts'
import { ownDb } from './support/database.ts'

// Platform administrators belong to the whole deployment, so this runs on its own empty database.
const db = await ownDb()
const system = forTenant(db, SYSTEM_TENANT)
beforeEach(() => asOwner(db, SYSTEM_TENANT, async (t) => void (await t.run({ text: 'delete from authsec.users', params: [], arrays: true }))))

const start = () => startApp(accountRoutes, { db, render: problem })
type App = Awaited<ReturnType<typeof start>>
let named = 0
const someone = (): string => `pia-${++named}@platform.example`
const linksTo = async (app: App, email: string): Promise<string[]> =>
  (await app.mailsTo(email)).flatMap(({ text }) => (/#ticket=(\S+)$/m.exec(text) ?? []).slice(1))
const invitations = async (app: App): Promise<number> =>
  (await app.events(SYSTEM_TENANT)).filter(({ event, targetId }) => event === 'user.invited' && targetId !== null).length
const use = async (app: App, ticket: string): Promise<number> =>
  (await app.request('/account/set-password', { body: { ticket, new_password: 'seven purple lanterns over water' } })).status

test('the address that the operator names becomes a platform administrator without a password, and receives one link', async () => {
  const app = await start()
  const email = someone()
  expect(await invitePlatformAdministrator(app.ctx, `  ${email.toUpperCase()} `)).toBe('invited')
  const user = await findUserByEmail(system, email)
  expect(user).toMatchObject({ passwordHash: null, emailVerifiedAt: null, active: true })
  expect(await findLivePermissions(system, user?.id ?? '', app.clock.now())).toContain('platform:migrate')
  expect(await findAdministeredTenants(directory(db), emailHash(app.ctx, email))).toEqual([])
  const links = await linksTo(app, email)
  expect(links).toHaveLength(1)
  const [mail] = await app.mailsTo(email)
  expect(mail?.text).toContain('You are the first administrator of this installation.')
  expect(mail?.subject).toBe('Choose your password at localhost:7468')
  expect(await use(app, links[0] ?? '')).toBe(204)
  expect(await findAdministeredTenants(directory(db), emailHash(app.ctx, email))).toEqual([SYSTEM_TENANT])
})

test('later starts mail nothing while the link is valid, or after it was used', async () => {
  const app = await start()
  const email = someone()
  expect(await invitePlatformAdministrator(app.ctx, email)).toBe('invited')
  app.clock.advance(23 * 3600)
  expect(await invitePlatformAdministrator(app.ctx, email)).toBe('waiting')
  const [transactionToken = ''] = await linksTo(app, email)
  expect(await use(app, transactionToken)).toBe(204)
  app.clock.advance(30 * 24 * 3600)
  expect([await invitePlatformAdministrator(app.ctx, email), await invitePlatformAdministrator(app.ctx, someone())]).toEqual(['claimed', 'claimed'])
  expect(await linksTo(app, email)).toHaveLength(1)
})

test('an expired unused link is replaced at the next start and stays invalid', async () => {
  const app = await start()
  const email = someone()
  await invitePlatformAdministrator(app.ctx, email)
  app.clock.advance(24 * 3600)
  expect(await invitePlatformAdministrator(app.ctx, email)).toBe('invited')
  const [first = '', second = ''] = await linksTo(app, email)
  expect([await use(app, first), await use(app, second)]).toEqual([400, 204])
})

test('a corrected address takes effect at the next start: the person named by mistake has no access', async () => {
  const app = await start()
  const [wrong, right] = [someone(), someone()]
  await invitePlatformAdministrator(app.ctx, wrong)
  expect(await invitePlatformAdministrator(app.ctx, right)).toBe('invited')
  expect((await findUserByEmail(system, wrong))?.active).toBe(false)
  const [stale = ''] = await linksTo(app, wrong)
  const [link = ''] = await linksTo(app, right)
  expect([await use(app, stale), await use(app, link)]).toEqual([400, 204])
  expect((await app.events(SYSTEM_TENANT)).some(({ event, actorType }) => event === 'user.disabled' && actorType === 'system')).toBe(true)
})

test('an existing administrator of any origin is enough', async () => {
  const app = await start()
  await ensurePlatformAdministrator(app.ctx, { email: someone(), name: 'Pia', passwordHash: 'x', proved: true })
  const email = someone()
  expect(await invitePlatformAdministrator(app.ctx, email)).toBe('claimed')
  expect(await findUserByEmail(system, email)).toBeUndefined()
})

test('of processes that start concurrently one sends mail, and one event records it', async () => {
  const apps = await Promise.all(Array.from({ length: 5 }, start))
  const [app] = apps
  if (app === undefined) throw new Error('no app')
  const email = someone()
  const before = await invitations(app)
  const outcomes = await Promise.all(apps.map(({ ctx }) => invitePlatformAdministrator(ctx, email)))
  expect(outcomes.toSorted()).toEqual(['invited', 'waiting', 'waiting', 'waiting', 'waiting'])
  expect(await linksTo(app, email)).toHaveLength(1)
  expect(await invitations(app)).toBe(before + 1)
})

test('an invalid address stops the start, and is not repeated in the message', async () => {
  const app = await start()
  await expect(invitePlatformAdministrator(app.ctx, 'pia at example')).rejects.toThrow('PLATFORM_ADMIN_EMAIL: must be an e-mail address')
})
