// What AuthSec kept in its OAuth server, what people see at a client, and configurations by id.
import { may, userOrNobody } from '#shared/http/access'
import { json, oneOf } from '#shared/http/route'
import { toChange, toSee } from './connections.routes.ts'
import { route } from './group.ts'
import {
  CreatedClientProvider,
  EditClientProvider,
  EditConfig,
  EditedClientProvider,
  EditedConfig,
  GetClients,
  GotClients,
  HydraByTenant,
  HydraClients,
  HydraSynced,
  ListHydra,
  OfTenantAndOrganisation,
  RawDump,
  RawDumped,
  ShownProviders,
  ShowProviders,
  Stats,
  SyncHydra,
} from './hydra.schema.ts'

const clients = () => import('./hydra.ts')

const configurations = () => import('./config-edit.ts')

const atClient = () => import('./at-client.ts')

const BASE = '/authsec/oocmgr'
const showing = {
  summary: 'The providers of a tenant or of one of its clients: names and order; for who administers the tenant, how each is set up.',
  access: userOrNobody('A sign-in page is shown before anybody is known.', { class: 'status' }),
  reply: json(200, ShownProviders),
  errors: ['not_found'],
  emits: 'nothing',
} as const

export const hydraRoutes = [
  route({
    ...showing,
    id: 'oocmgr.showProviders',
    on: `GET ${BASE}/oidc/show-auth-providers`,
    query: ShowProviders,
    handle: async ({ ctx, principal, query }) => (await atClient()).showProviders(ctx, principal, query),
  }),
  route({
    ...showing,
    id: 'oocmgr.showProvidersByPost',
    on: `POST ${BASE}/oidc/show-auth-providers`,
    body: ShowProviders,
    handle: async ({ ctx, principal, body }) => (await atClient()).showProviders(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.editClientProvider',
    on: `POST ${BASE}/oidc/edit-client-auth-provider`,
    summary: 'Choose a provider for one client, change how it is shown there, or take it away from there.',
    access: toChange,
    body: EditClientProvider,
    reply: oneOf({ 200: EditedClientProvider, 201: CreatedClientProvider }),
    errors: ['not_found', 'internal_provider', 'invalid_request'],
    emits: ['client_provider.set', 'client_provider.removed'],
    handle: async ({ ctx, principal, body }) => (await atClient()).editAtClient(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.rawDump',
    on: `POST ${BASE}/oidc/raw-hydra-dump`,
    summary: 'Export the configuration; everything that is called a secret is masked.',
    access: toSee,
    body: RawDump,
    reply: json(200, RawDumped),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).rawDump(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.listHydraClients',
    on: `POST ${BASE}/hydra-clients/list`,
    summary: 'The main client and the providers of the tenant, without any secret.',
    access: toSee,
    body: ListHydra,
    reply: json(200, HydraClients),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).listHydra(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.hydraClientsByTenant',
    on: `POST ${BASE}/hydra-clients/get-by-tenant`,
    summary: 'The main client of the tenant, and apart from it its providers, without any secret.',
    access: toSee,
    body: OfTenantAndOrganisation,
    reply: json(200, HydraByTenant),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).hydraByTenant(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.syncHydraClients',
    on: `POST ${BASE}/hydra-clients/sync`,
    summary: 'Whether anything is missing between two stores; there is one, so nothing is.',
    access: toSee,
    body: SyncHydra,
    reply: json(200, HydraSynced),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).syncHydra(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.stats',
    on: `POST ${BASE}/stats/tenant`,
    summary: 'How many clients and providers the tenant has.',
    access: toSee,
    body: OfTenantAndOrganisation,
    reply: json(200, Stats),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).stats(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.getClients',
    on: `POST ${BASE}/clients/getClients`,
    summary: 'The ids of the tenant\u2019s clients.',
    access: may('admin:access', 'clients:read'),
    body: GetClients,
    reply: json(200, GotClients),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await clients()).getClients(ctx, principal, body),
  }),
  route({
    id: 'oocmgr.editConfig',
    on: `POST ${BASE}/config/edit`,
    summary: 'Change a provider of the tenant, or its main client, by its id.',
    access: may('admin:access', 'connections:write', 'clients:write'),
    body: EditConfig,
    reply: json(200, EditedConfig),
    errors: ['not_found', 'invalid_request', 'cannot_grant'],
    emits: ['oidc_provider.updated', 'client.registration_changed'],
    handle: async ({ ctx, principal, body }) => (await configurations()).editConfig(ctx, principal, body),
  }),
]
