// Routes of a tenant's whole sign-in configuration (/authsec/oocmgr/*).
import type { ErrorCode } from '#shared/kernel/errors'
import { may, open } from '#shared/platform/http/access'
import { json, oneOfStatuses } from '#shared/platform/http/route'
import { READ_CONNECTIONS } from './connections.routes.ts'
import { route } from './group.ts'
import {
  AllTenants,
  ConfigurationExists,
  Configure,
  ConfiguredTenant,
  CreateBase,
  CreatedBase,
  DeleteComplete,
  DeletedConfiguration,
  ListAll,
  LoginPage,
  OfTenant,
  UpdateComplete,
  UpdatedConfiguration,
} from './tenant.schema.ts'

const rules = () => import('./tenant.ts')

const BASE = '/authsec/oocmgr'
/** These routes also change a client. */
const toConfigure = may('admin:access', 'connections:write', 'clients:write')
const SECRETS: readonly ErrorCode[] = ['client_configured', 'invalid_request', 'cannot_grant', 'public_client', 'rotation_in_progress', 'not_found']

export const tenantConfigurationRoutes = [
  route({
    id: 'oocmgr.configureComplete',
    on: `POST ${BASE}/configure-complete-oidc`,
    summary: 'Configure the main client of the tenant and its providers. The secret is returned only here.',
    access: toConfigure,
    body: Configure,
    actsIn: 'body.tenant_id',
    reply: oneOfStatuses({ 201: ConfiguredTenant, 206: ConfiguredTenant }),
    errors: SECRETS,
    emits: ['client.registration_changed', 'client.consents_ended', 'client.secret_rotated', 'oidc_provider.created'],
    handle: async ({ ctx, principal, body }) => (await rules()).configureTenant(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.createBaseClient',
    on: `POST ${BASE}/tenant/create-base-client`,
    summary: 'Configure the main client of the tenant. The secret is generated and returned only here.',
    access: toConfigure,
    body: CreateBase,
    actsIn: 'body.tenant_id',
    reply: json(201, CreatedBase),
    errors: SECRETS,
    emits: ['client.registration_changed', 'client.consents_ended', 'client.secret_rotated'],
    handle: async ({ ctx, principal, body }) => (await rules()).createBase(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.checkExists',
    on: `POST ${BASE}/tenant/check-exists`,
    summary: 'Return whether the main client of the tenant is configured.',
    access: READ_CONNECTIONS,
    body: OfTenant,
    actsIn: 'body.tenant_id',
    reply: json(200, ConfigurationExists),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await rules()).checkExists(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.listAll',
    on: `POST ${BASE}/tenant/list-all`,
    summary: 'List all tenants with their main clients and providers, for platform administrators; 200 per page.',
    access: may('admin:access', 'platform:tenants'),
    body: ListAll,
    reply: json(200, AllTenants),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await rules()).listAllTenants(ctx, body),
  }),
  route({
    id: 'oocmgr.updateComplete',
    on: `POST ${BASE}/tenant/update-complete`,
    summary: 'Change the main client of the tenant and its providers; missing providers are added.',
    access: toConfigure,
    body: UpdateComplete,
    actsIn: 'body.tenant_id',
    reply: oneOfStatuses({ 200: UpdatedConfiguration, 206: UpdatedConfiguration }),
    errors: ['not_found', 'invalid_request', 'cannot_grant'],
    emits: ['client.registration_changed', 'client.consents_ended', 'oidc_provider.created', 'oidc_provider.updated'],
    handle: async ({ ctx, principal, body }) => (await rules()).updateComplete(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.deleteComplete',
    on: `POST ${BASE}/tenant/delete-complete`,
    summary: 'Delete the providers of the tenant and clear its main client, or only the one that is named.',
    access: toConfigure,
    body: DeleteComplete,
    actsIn: 'body.tenant_id',
    reply: json(200, DeletedConfiguration),
    errors: ['not_found', 'cannot_grant'],
    emits: ['client.registration_changed', 'client.consents_ended', 'oidc_provider.deleted'],
    handle: async ({ ctx, principal, body }) => (await rules()).deleteComplete(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.loginPageData',
    on: `POST ${BASE}/tenant/login-page-data`,
    summary: 'Return the content of the tenant\u2019s sign-in page: names and order of providers.',
    access: open('A sign-in page needs this before the person is known; it is public on that page.', { class: 'status' }),
    body: OfTenant,
    reply: json(200, LoginPage),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await rules()).loginPage(ctx, body),
  }),
]
