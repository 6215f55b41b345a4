// The SAML identity providers that a tenant trusts: for its administrators, also under the names of the older configuration service.
import type { ErrorCode } from '#shared/kernel/errors'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  AddedSamlProvider,
  AddSamlProvider,
  AdminChangedProvider,
  AdminNewProvider,
  AdminProvider,
  AdminProviderPath,
  AdminProviderQuery,
  AdminProviders,
  DeletedSamlProvider,
  DeleteSamlProvider,
  GetSamlProvider,
  ListedSamlProviders,
  ListSamlProviders,
  NoMembers,
  SamlProviderResponse,
  SamlTemplates,
  TestedSamlProvider,
  TestSamlProvider,
  UpdateSamlProvider,
} from './providers.schema.ts'
import {
  addSamlProvider,
  changeSamlProvider,
  readSamlProvider,
  removeSamlProvider,
  showSamlProviders,
  testSamlProvider,
  toSamlProvider,
  toSamlProviderWithCertificate,
} from './providers.ts'
import { DEFAULT_ATTRIBUTE_MAPPING, SAML_TEMPLATES } from './templates.ts'

const ADMIN = '/authsec/hmgr/admin/saml-providers'
const CONFIGURATION = '/authsec/oocmgr/saml'
const managing = may('admin:manage')
const access = may('admin:access')
const ADDS: readonly ErrorCode[] = ['invalid_request', 'invalid_client', 'provider_exists', 'cannot_grant']
const CHANGES: readonly ErrorCode[] = ['invalid_request', 'saml_provider_unknown', 'provider_exists', 'cannot_grant']
const REMOVES: readonly ErrorCode[] = ['saml_provider_unknown', 'cannot_grant']
const success = true as const
const REMOVED = 'SAML provider deleted successfully'

export const samlProviderRoutes = [
  route({
    id: 'saml.list',
    on: `GET ${ADMIN}`,
    summary: 'The SAML providers of the tenant.',
    access: managing,
    query: AdminProviderQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, AdminProviders),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => {
      const rows = await showSamlProviders(ctx, principal, query)
      return {
        success,
        providers: rows.map(toSamlProviderWithCertificate),
        count: rows.length,
        tenant_id: query.tenant_id ?? principal.tenantId,
        ...(query.client_id === undefined ? {} : { filtered_by_client_id: query.client_id }),
      }
    },
  }),
  route({
    id: 'saml.add',
    on: `POST ${ADMIN}`,
    summary: 'Add a SAML provider.',
    access: managing,
    body: AdminNewProvider,
    actsIn: 'body.tenant_id',
    reply: json(201, AdminProvider),
    errors: ADDS,
    emits: ['saml_provider.created'],
    handle: async ({ ctx, principal, body }) => ({ success, provider: toSamlProviderWithCertificate(await addSamlProvider(ctx, principal, body)) }),
  }),
  route({
    id: 'saml.change',
    on: `PUT ${ADMIN}/:id`,
    summary: 'Change a SAML provider; omitted members keep their values.',
    access: managing,
    path: AdminProviderPath,
    body: AdminChangedProvider,
    actsIn: 'body.tenant_id',
    reply: json(200, AdminProvider),
    errors: CHANGES,
    emits: ['saml_provider.updated'],
    handle: async ({ ctx, principal, path, body }) => ({
      success,
      provider: toSamlProviderWithCertificate(await changeSamlProvider(ctx, principal, path.id, body)),
    }),
  }),
  route({
    id: 'saml.remove',
    on: `DELETE ${ADMIN}/:id`,
    summary: 'Remove a SAML provider and its pending requests.',
    access: managing,
    path: AdminProviderPath,
    query: AdminProviderQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, DeletedSamlProvider),
    errors: REMOVES,
    emits: ['saml_provider.deleted'],
    handle: async ({ ctx, principal, path, query }) => {
      await removeSamlProvider(ctx, principal, path.id, query)
      return { success, message: REMOVED }
    },
  }),
  route({
    id: 'saml.test',
    on: 'POST /authsec/hmgr/saml/test-provider',
    summary: 'The values to enter at a provider.',
    access,
    body: TestSamlProvider,
    actsIn: 'body.tenant_id',
    reply: json(200, TestedSamlProvider),
    errors: ['saml_provider_unknown'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => testSamlProvider(ctx, principal, body),
  }),
  route({
    id: 'connections.addSamlProvider',
    on: `POST ${CONFIGURATION}/add-provider`,
    summary: 'Add a SAML provider.',
    access,
    body: AddSamlProvider,
    actsIn: 'body.tenant_id',
    reply: json(201, AddedSamlProvider),
    errors: ADDS,
    emits: ['saml_provider.created'],
    handle: async ({ ctx, principal, body }) => {
      const provider = toSamlProvider(await addSamlProvider(ctx, principal, { attribute_mapping: { ...DEFAULT_ATTRIBUTE_MAPPING }, ...body }))
      return { success, message: 'SAML provider added successfully', provider }
    },
  }),
  route({
    id: 'connections.listSamlProviders',
    on: `POST ${CONFIGURATION}/list-providers`,
    summary: 'The SAML providers of the tenant.',
    access,
    body: ListSamlProviders,
    actsIn: 'body.tenant_id',
    reply: json(200, ListedSamlProviders),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => ({
      success,
      tenant_id: body.tenant_id,
      providers: (await showSamlProviders(ctx, principal, body)).map(toSamlProvider),
    }),
  }),
  route({
    id: 'connections.getSamlProvider',
    on: `POST ${CONFIGURATION}/get-provider`,
    summary: 'One SAML provider.',
    access,
    body: GetSamlProvider,
    actsIn: 'body.tenant_id',
    reply: json(200, SamlProviderResponse),
    errors: ['saml_provider_unknown'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => ({
      success,
      provider: toSamlProvider(await readSamlProvider(ctx, principal, body.provider_id, body)),
    }),
  }),
  route({
    id: 'connections.updateSamlProvider',
    on: `POST ${CONFIGURATION}/update-provider`,
    summary: 'Change a SAML provider; omitted members keep their values.',
    access,
    body: UpdateSamlProvider,
    actsIn: 'body.tenant_id',
    reply: json(200, AddedSamlProvider),
    errors: CHANGES,
    emits: ['saml_provider.updated'],
    handle: async ({ ctx, principal, body: { provider_id, ...change } }) => {
      const provider = toSamlProvider(await changeSamlProvider(ctx, principal, provider_id, change))
      return { success, message: 'SAML provider updated successfully', provider }
    },
  }),
  route({
    id: 'connections.deleteSamlProvider',
    on: `POST ${CONFIGURATION}/delete-provider`,
    summary: 'Remove a SAML provider and its pending requests.',
    access,
    body: DeleteSamlProvider,
    actsIn: 'body.tenant_id',
    reply: json(200, DeletedSamlProvider),
    errors: REMOVES,
    emits: ['saml_provider.deleted'],
    handle: async ({ ctx, principal, body }) => {
      await removeSamlProvider(ctx, principal, body.provider_id, body)
      return { success, message: REMOVED }
    },
  }),
  route({
    id: 'connections.samlTemplates',
    on: `POST ${CONFIGURATION}/templates`,
    summary: 'Usual settings of well-known SAML providers.',
    access,
    body: NoMembers,
    reply: json(200, SamlTemplates),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ success, templates: structuredClone(SAML_TEMPLATES) }),
  }),
]
