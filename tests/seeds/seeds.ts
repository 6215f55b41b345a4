// For every route with an identifier in its path: creates the object in a company and names the permitted caller. A route without a seed fails table.test.ts.

import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { insertGroups } from '#db/store/groups'
import { findSessions } from '#db/store/sessions'
import { insertWebhook } from '#db/store/webhooks'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { secretContext } from '#shared/domains/webhooks/message'
import { AGENT_SEEDS } from '../../functions/agents/seeds.ts'
import { CLIENT_SEEDS } from '../../functions/clients/seeds.ts'
import { CONNECTION_SEEDS } from '../../functions/connections/seeds.ts'
import { FACTOR_SEEDS } from '../../functions/factors/seeds.ts'
import { FEDERATION_SEEDS } from '../../functions/federation/seeds.ts'
import { MANAGEMENT_SEEDS } from '../../functions/management/seeds.ts'
import { OAUTH_SEEDS } from '../../functions/oauth/seeds.ts'
import { PEOPLE_SEEDS } from '../../functions/people/seeds.ts'
import { RESOURCE_SEEDS } from '../../functions/resources/seeds.ts'
import { SAML_SEEDS } from '../../functions/saml/seeds.ts'
import { SPIFFE_SEEDS } from '../../functions/spiffe/seeds.ts'
import { PASSKEY_SEEDS } from '../../functions/webauthn/seeds.ts'
import type { Company, Person, TestApp } from '../support/app.ts'
import { ACCESS_SEEDS } from './access.ts'
import { DEVICE_AUTHORIZATION_SEEDS } from './device-authorization.ts'

export type Seed = {
  /** The parameters of the path. */
  readonly path: Readonly<Record<string, string>>
  /** The permitted caller; omitted for an open route. */
  readonly owner?: Person
  /** The factors of the owner's sign-in, if the password alone is not enough. */
  readonly amr?: readonly string[]
  /** A valid body for the route. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** A query that the route needs. */
  readonly query?: string
  /** A public document, readable regardless of its owner. */
  readonly isPublic?: true
  /** The owner's response, if it is not a success. */
  readonly answers?: number
}
export type Make = (app: TestApp, company: Company) => Promise<Seed>

const session: Make = async (app, company) => {
  const owner = await app.person(company)
  await app.token(owner)
  const [row] = await findSessions(forTenant(app.db, company.tenantId), owner.id, app.clock.now())
  if (row === undefined) throw new Error('no session')
  return { path: { session_id: row.id }, owner }
}

/** A person of the company, accessed by its administrator. */
const person =
  (more: Pick<Seed, 'body' | 'headers'> = {}): Make =>
  async (app, company) => ({ path: { user_id: (await app.person(company)).id }, owner: company.admin, ...more })
const ofTenant =
  (make: Make): Make =>
  async (app, company) => {
    const seed = await make(app, company)
    return { ...seed, path: { ...seed.path, tenant_id: company.tenantId } }
  }
const tenant: Make = async (_, company) => ({ path: { tenant_id: company.tenantId }, owner: company.admin })

const newGroup = (app: TestApp, company: Company): Promise<string> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const [group] = await insertGroups(t, [{ id: app.ctx.random.id(), name: `crew-${app.ctx.random.id()}` }], app.clock.now())
    if (group === undefined) throw new Error('no group')
    return group.id
  })
const members: Make = async (app, company) => ({
  path: { tenant_id: company.tenantId },
  owner: company.admin,
  body: { group_id: await newGroup(app, company), user_ids: [(await app.person(company)).id] },
})
export const platformAdministrator = async (app: TestApp): Promise<Person> => {
  const email = `platform-${app.ctx.random.id()}@platform.example`
  const { userId } = await ensurePlatformAdministrator(app.ctx, { email, name: 'Paula Platform', passwordHash: null, proved: true })
  return { id: userId, email, password: '', tenantId: SYSTEM_TENANT }
}

/** The object is a whole company, accessed by platform administrators. */
const companyOfPlatform =
  (answers?: number): Make =>
  async (app, company) => ({
    path: { tenant_id: company.tenantId },
    owner: await platformAdministrator(app),
    ...(answers === undefined ? {} : { answers }),
  })

/** The test message is not delivered: the network is off. */
const webhook =
  (body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['admin:access', 'audit:read', 'webhooks:write'])
    const id = app.ctx.random.id()
    const at = app.clock.now()
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      const sealedSecret = await app.ctx.keyring.seal(t, t.tenantId, 'whsec_', secretContext(id))
      await insertWebhook(t, { id, url: 'https://hooks.acme.com/', events: ['*'], sealedSecret, cursor: id, createdAt: at, updatedAt: at })
    })
    return { path: { webhook_id: id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }

export const SEEDS: Readonly<Record<string, Make>> = {
  'wellknown.error': async () => ({ path: { code: 'not_found' }, isPublic: true }),
  ...ACCESS_SEEDS,
  ...CLIENT_SEEDS,
  ...CONNECTION_SEEDS,
  ...OAUTH_SEEDS,
  ...RESOURCE_SEEDS,
  ...MANAGEMENT_SEEDS,
  ...AGENT_SEEDS,
  ...FEDERATION_SEEDS,
  ...PASSKEY_SEEDS,
  ...PEOPLE_SEEDS,
  ...SAML_SEEDS,
  ...SPIFFE_SEEDS,
  ...DEVICE_AUTHORIZATION_SEEDS,
  ...FACTOR_SEEDS,
  'admin.updateTenant': async (app, company) => ({ ...(await tenant(app, company)), body: { name: 'Acme again' } }),
  'admin.deleteTenant': tenant,
  'admin.listTenantUsers': tenant,
  'admin.deleteUser': person(),
  'admin.deleteUserForGood': person({ body: {} }),
  'admin.listGroups': tenant,
  'admin.updateGroup': async (app, company) => ({
    path: { id: await newGroup(app, company) },
    owner: company.admin,
    body: { tenant_id: company.tenantId, name: `renamed-${app.ctx.random.id()}` },
  }),
  'admin.addMembers': members,
  'admin.removeMembers': members,
  'user.getEndUser': ofTenant(person()),
  'user.updateEndUser': ofTenant(person({ body: { name: 'Pat Again' } })),
  'user.setEndUserStatus': ofTenant(person({ body: { active: false } })),
  'user.deleteEndUser': ofTenant(person()),
  'user.deleteEndUserForGood': ofTenant(person({ body: {} })),
  'user.groupMembers': async (app, company) => ({
    path: { tenant_id: company.tenantId, group_id: await newGroup(app, company) },
    owner: company.admin,
  }),
  'account.endSession': session,
  'health.tenant': async (_, company) => ({ path: { tenant_id: company.tenantId } }),
  'migration.tenantStatus': companyOfPlatform(),
  'migration.runTenant': companyOfPlatform(503),
  'webhooks.read': webhook(),
  'webhooks.change': webhook({ description: 'changed' }, { 'if-match': '*' }),
  'webhooks.delete': webhook(),
  'webhooks.rotateSecret': webhook({}),
  'webhooks.test': webhook(),
  'webhooks.replay': webhook({ from: '2026-01-01T00:00:00Z' }),
}
