// Seeds of clients, domains, providers and groups of the token service, for tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertGroups } from '#db/store/groups'
import { addClient, addDomain, addProviderRow, proveDomain } from '#tests/support/administration'
import type { Company, Person } from '#tests/support/app'
import { type Make, platformAdministrator } from '../../tests/seeds/seeds.ts'

const application: Make = async (app, company) => {
  const owner = await app.person(company, ['clients:read', 'clients:write'])
  const made = await addClient(app, company, { name: 'An application' })
  return { path: { tenantId: company.tenantId, id: made.client_id }, owner }
}

/** A seed of a route on the whole tenant. */
const ofTenant =
  (body?: (company: Company, clientId: string) => Readonly<Record<string, unknown>>): Make =>
  async (app, company) => {
    const { path, owner } = await application(app, company)
    return { path: { tenantId: company.tenantId }, ...(owner ? { owner } : {}), ...(body ? { body: body(company, path.id ?? '') } : {}) }
  }
const ofClientInBody = ofTenant((company, clientId) => ({ tenant_id: company.tenantId, client_id: clientId }))

const withBody =
  (make: Make, body: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => ({ ...(await make(app, company)), body })

/** A claim with its TXT record in the DNS. */
const domain: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'admin:manage'])
  const claimed = await addDomain(app, company, `d-${app.ctx.random.id().slice(-12)}.com`)
  return { path: { tenant_id: company.tenantId, domain_id: claimed.id }, owner }
}
const provedDomain: Make = async (app, company) => {
  const seed = await domain(app, company)
  await proveDomain(app, company, seed.path.domain_id ?? '')
  return seed
}
const domains: Make = async (app, company) => ({
  path: { tenant_id: company.tenantId },
  owner: await app.person(company, ['admin:access', 'admin:manage']),
})

const group: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'groups:write', 'users:read'])
  const id = app.ctx.random.id()
  await atomically(forTenant(app.db, company.tenantId), (t) => insertGroups(t, [{ id, name: `group-${id}` }], app.clock.now()))
  return { path: { id }, owner }
}
const groupWith =
  (body: (company: Company, person: Person) => Readonly<Record<string, unknown>>): Make =>
  async (app, company) => ({ ...(await group(app, company)), body: body(company, await app.person(company)) })
const members = groupWith((company, person) => ({ tenant_id: company.tenantId, user_ids: [person.id] }))

const provider: Make = async (app) => ({
  path: { provider: await addProviderRow(app) },
  owner: await platformAdministrator(app),
  body: { is_active: false },
})

const tokenGroups: Readonly<Record<string, Make>> = {
  'tokens.getGroup': group,
  'tokens.changeGroup': groupWith((company) => ({ tenant_id: company.tenantId, description: 'Changed.' })),
  'tokens.deleteGroup': group,
  'tokens.addGroupUsers': members,
  'tokens.removeGroupUsers': members,
  'tokens.listGroupUsers': group,
}

const clientRoutes: Readonly<Record<string, Make>> = {
  'clients.list': ofTenant(),
  'clients.listAtOnce': ofTenant((company) => ({ tenant_id: company.tenantId })),
  'clients.platformSelectors': async (app, company) => ({ ...(await ofTenant()(app, company)), query: 'platform=unix' }),
  'clients.get': application,
  'clients.create': ofTenant(() => ({ name: 'Another', email: 'another@seeds.example' })),
  'clients.removeCompletely': ofClientInBody,
  'clients.setStatus': ofClientInBody,
  'clients.replace': withBody(application, { name: 'Renamed' }),
  'clients.edit': withBody(application, { tags: ['renamed'] }),
  'clients.softDelete': application,
  'clients.delete': application,
  'clients.activate': application,
  'clients.deactivate': application,
  'clients.rotateSecret': async (app, company) => {
    const { path, owner } = await application(app, company)
    return { path: { id: path.id ?? '' }, ...(owner ? { owner } : {}), body: {} }
  },
}

export const CLIENT_SEEDS: Readonly<Record<string, Make>> = {
  ...clientRoutes,
  ...tokenGroups,
  'admin.claimDomain': async (app, company) => ({ ...(await domains(app, company)), body: { domain: `n-${app.ctx.random.id().slice(-12)}.com` } }),
  'admin.listDomains': domains,
  'admin.getDomain': domain,
  'admin.verifyDomain': domain,
  'admin.setPrimaryDomain': provedDomain,
  'admin.deleteDomain': domain,
  'admin.changeProvider': provider,
}
