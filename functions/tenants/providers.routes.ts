// Identity providers of the whole platform.
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ChangeProvider, NewProvider, ProviderChanged, ProviderPath, TenantProviderOut, TenantProviders } from './providers.schema.ts'

const BASE = '/authsec/uflow/admin/oidc/providers'
const listing = {
  summary: 'The identity providers of the platform.',
  access: may('admin:access'),
  reply: json(200, TenantProviders),
  errors: [],
  emits: 'nothing',
} as const
const write = may('admin:access', 'platform:providers')

export const tenantProviderRoutes = [
  route({
    ...listing,
    id: 'admin.listProviders',
    on: `GET ${BASE}`,
    handle: async ({ ctx }) => (await import('./providers.ts')).showTenantProviders(ctx),
  }),
  route({
    ...listing,
    id: 'admin.listProvidersByPost',
    on: `POST ${BASE}`,
    handle: async ({ ctx }) => (await import('./providers.ts')).showTenantProviders(ctx),
  }),
  route({
    id: 'admin.changeProvider',
    on: `PUT ${BASE}/:provider`,
    summary: 'Change an identity provider of the platform.',
    access: write,
    path: ProviderPath,
    body: ChangeProvider,
    reply: json(200, ProviderChanged),
    errors: ['not_found', 'invalid_request'],
    emits: ['oidc_provider.updated'],
    handle: async ({ ctx, principal, path, body }) => (await import('./providers.ts')).changeTenantProvider(ctx, principal, path.provider, body),
  }),
  route({
    id: 'platform.addProvider',
    on: 'POST /platform/oidc-providers',
    summary: 'Add an identity provider of the platform.',
    access: write,
    body: NewProvider,
    reply: json(201, TenantProviderOut),
    errors: ['provider_exists', 'invalid_request'],
    emits: ['oidc_provider.created'],
    render: problem,
    handle: async ({ ctx, principal, body }) => (await import('./providers.ts')).addTenantProvider(ctx, principal, body),
  }),
]
