// Seeds of agents, delegation policies, authorization detail types and trusted issuers, for tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertIssuer } from '#db/store/oauth-issuers'
import { newAgent, newDetailType, newPolicy } from '#tests/support/agents'
import type { Make } from '../../tests/seeds/seeds.ts'

const NEW_SECRET = { authentication: { method: 'client_secret' } }
const agent =
  (body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['admin:access', 'clients:read', 'clients:write'])
    const id = (await newAgent(app, company, owner.id)).id
    return { path: { agent_id: id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }
const listed: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'clients:read'])
  return { path: { id: (await newAgent(app, company, owner.id)).id }, owner }
}
const policy =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['admin:access', 'roles:read', 'roles:write'])
    const id = await newPolicy(app, company, [], { allowed: [] })
    return { path: { id }, owner, ...(body === undefined ? {} : { body }) }
  }
const detailType =
  (body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['admin:access', 'clients:read', 'clients:write'])
    const id = await newDetailType(app, company)
    return { path: { type_id: id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }
const issuer =
  (body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['admin:access', 'admin:manage', 'clients:read'])
    const [id, at] = [app.ctx.random.id(), app.clock.now()]
    const row = { id, name: 'Workforce', issuer: `https://idp-${company.name}.example.com`, validFrom: at, createdAt: at, updatedAt: at }
    await atomically(forTenant(app.db, company.tenantId), (t) => insertIssuer(t, row))
    return { path: { issuer_id: id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }
const ANY_VERSION = { 'if-match': '*' }

export const AGENT_SEEDS: Readonly<Record<string, Make>> = {
  'agents.read': agent(),
  'agents.change': agent({ name: 'Renamed' }, ANY_VERSION),
  'agents.suspend': agent(),
  'agents.resume': agent(),
  'agents.retire': agent(),
  'agents.rotateCredentials': agent(NEW_SECRET),
  'admin.getAgent': listed,
  'delegationPolicies.get': policy(),
  'delegationPolicies.change': policy({ enabled: false }),
  'delegationPolicies.delete': policy(),
  'detailTypes.read': detailType(),
  'detailTypes.change': detailType({ title: 'Renamed' }, ANY_VERSION),
  'detailTypes.delete': detailType(),
  'issuers.read': issuer(),
  'issuers.change': issuer({ active: false }, ANY_VERSION),
  'issuers.delete': issuer(),
}
