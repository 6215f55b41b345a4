// Custom domains, verified by DNS.

import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { ChangedDomain, ClaimDomain, ClaimedDomain, DeletedDomain, DomainPath, Domains, DomainsPath, OneDomain } from './domains.schema.ts'
import { route } from './group.ts'

const BASE = '/authsec/uflow/admin/tenants/:tenant_id/domains'
const read = may('admin:access')
const write = may('admin:access', 'admin:manage')

const whichOf = (caller: User, path: { readonly tenant_id: string; readonly domain_id: string }) => ({
  tenantId: actingTenant(caller, path.tenant_id),
  domainId: path.domain_id,
})

export const domainRoutes = [
  route({
    id: 'admin.claimDomain',
    on: `POST ${BASE}`,
    summary: 'Claim a domain; the response contains the TXT record that proves ownership.',
    access: write,
    path: DomainsPath,
    body: ClaimDomain,
    actsIn: 'path.tenant_id',
    reply: json(201, ClaimedDomain),
    errors: ['invalid_request', 'domain_taken', 'domain_exists', 'domain_limit'],
    emits: ['domain.claimed'],
    handle: async ({ ctx, principal, path, body }) =>
      (await import('./domains.ts')).claimTenantDomain(ctx, principal, actingTenant(principal, path.tenant_id), body.domain),
  }),
  route({
    id: 'admin.listDomains',
    on: `GET ${BASE}`,
    summary: 'The tenant\u2019s domains, the primary one first.',
    access: read,
    path: DomainsPath,
    actsIn: 'path.tenant_id',
    reply: json(200, Domains),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await import('./domains.ts')).showDomains(ctx, principal, actingTenant(principal, path.tenant_id)),
  }),
  route({
    id: 'admin.getDomain',
    on: `GET ${BASE}/:domain_id`,
    summary: 'One domain.',
    access: read,
    path: DomainPath,
    actsIn: 'path.tenant_id',
    reply: json(200, OneDomain),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await import('./domains.ts')).showDomain(ctx, principal, whichOf(principal, path)),
  }),
  route({
    id: 'admin.verifyDomain',
    on: `POST ${BASE}/:domain_id/verify`,
    summary: 'Look up the DNS record and verify the domain.',
    access: write,
    path: DomainPath,
    actsIn: 'path.tenant_id',
    reply: json(200, ChangedDomain),
    errors: ['not_found', 'domain_already_verified', 'domain_unproved', 'domain_taken'],
    emits: ['domain.verified', 'domain.verification_failed', 'resource_servers.released'],
    handle: async ({ ctx, principal, path }) => (await import('./domains.ts')).verifyTenantDomain(ctx, principal, whichOf(principal, path)),
  }),
  route({
    id: 'admin.setPrimaryDomain',
    on: `POST ${BASE}/:domain_id/set-primary`,
    summary: 'Make a verified domain the primary one.',
    access: write,
    path: DomainPath,
    actsIn: 'path.tenant_id',
    reply: json(200, ChangedDomain),
    errors: ['not_found', 'domain_not_verified'],
    emits: ['domain.made_primary'],
    handle: async ({ ctx, principal, path }) => (await import('./domains.ts')).makeDomainPrimary(ctx, principal, whichOf(principal, path)),
  }),
  route({
    id: 'admin.deleteDomain',
    on: `DELETE ${BASE}/:domain_id`,
    summary: 'Release a domain.',
    access: write,
    path: DomainPath,
    actsIn: 'path.tenant_id',
    reply: json(200, DeletedDomain),
    errors: ['not_found', 'primary_domain', 'platform_domain'],
    emits: ['domain.deleted'],
    handle: async ({ ctx, principal, path }) => (await import('./domains.ts')).removeTenantDomain(ctx, principal, whichOf(principal, path)),
  }),
]
