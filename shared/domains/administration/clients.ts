// Creating and listing clients, shared by client management and the end users' paths.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type ClientFilter, countClients, countUsersOfClients, listClients } from '#db/store/client-list'
import { type Client, findClient, findDefaultClient, insertClient, insertServiceAccount } from '#db/store/clients'
import type { Page } from '#db/store/keyset'
import { hasProject } from '#db/store/projects'
import { findTenant } from '#db/store/tenants'
import { type NewSecret, newClientSecret, newSdkSecret, sdkClientId } from '#shared/domains/clients/secrets'
import { type AgentAttestation, agentOf, requireNoSelectors, spiffeIdOf } from '#shared/domains/clients/selectors'
import type { RequestCtx } from '#shared/domains/context'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { toClientResponses } from './client-view.ts'
import type { CreatedClient, ListedClient, NewClient } from './clients.schema.ts'

type Input = z.output<typeof NewClient>
type Created = z.input<typeof CreatedClient>

/** The client's id at AuthSec's OAuth server. */
const hydraIdOf = (clientId: string): string => `${clientId}-main-client`

type Plan = {
  readonly agent: AgentAttestation | undefined
  readonly isPublic: boolean
  readonly redirectUris: readonly string[]
  readonly grantTypes?: readonly string[]
}
/** What a caller of the rule decides instead of the request. */
type Planned = Partial<Pick<Plan, 'redirectUris' | 'grantTypes'>> & {
  /** Further work of the same transaction. */
  readonly also?: (t: TenantTx, client: Client) => Promise<void>
}
/** The agent type that AuthSec gives clients of the type of the same name. */
const CLAW_AUTH = 'claw_auth'

/** Validates everything that needs no store. @throws AppError invalid_request */
const planClient = (request: Input): Plan => {
  const isAgent = request.client_type === 'ai_agent'
  const isPublic = request.token_endpoint_auth_method === 'none'
  if (isPublic && request.client_type !== 'application') {
    const field = 'body.token_endpoint_auth_method'
    throw new AppError('invalid_request', `${field}: only an application may have no secret`, { field })
  }
  if (!isAgent) requireNoSelectors(request)
  return { agent: isAgent ? agentOf(request) : undefined, isPublic, redirectUris: isAgent ? [] : redirectUrisOf(request) }
}

/** The UI names the redirect address of a `claw_auth` client, and the place of any other application. */
const redirectUrisOf = ({ client_type, redirect_url, react_app_url }: Input): readonly string[] => {
  if (client_type === 'claw_auth') {
    if (redirect_url === undefined) throw new AppError('invalid_request', 'body.redirect_url: is missing', { field: 'body.redirect_url' })
    return [redirect_url]
  }
  return react_app_url === undefined ? [] : [`${react_app_url.replace(/\/+$/, '')}/oidc/auth/callback`]
}

/** The requested project; the default one without a request, or when the tenant's id stands in for it, as AuthSec's clients send it. */
const projectOf = async (t: TenantTx, requested: string | undefined): Promise<string | null> => {
  if (requested === undefined || requested === t.tenantId) return (await findDefaultClient(t))?.projectId ?? null
  if (await hasProject(t, requested)) return requested
  throw new AppError('not_found', 'The project does not exist.', { field: 'body.project_id' })
}

/** Adds the service account as which a client acts without a person. It starts without rights. */
export const addServiceAccount = async (t: TenantTx, ctx: Pick<RequestCtx, 'random' | 'clock'>, clientId: string, name: string): Promise<string> => {
  const id = ctx.random.id()
  await insertServiceAccount(t, { id, name: `client:${clientId}`, description: name, at: ctx.clock.now() })
  return id
}

type Secrets = { readonly secret: NewSecret | undefined; readonly sdk: NewSecret | undefined }

/** An agent is authenticated by its platform and a public application not at all, so neither gets a client secret. */
const secretsFor = (ctx: Pick<RequestCtx, 'random'>, { agent, isPublic }: Plan): Secrets => ({
  secret: isPublic || agent !== undefined ? undefined : newClientSecret(ctx.random),
  sdk: isPublic ? undefined : newSdkSecret(ctx.random),
})

const storeClient = async (t: TenantTx, ctx: RequestCtx, request: Input, plan: Plan, { secret, sdk }: Secrets): Promise<Client> => {
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const { agent } = plan
  await insertClient(t, {
    id,
    projectId: await projectOf(t, request.project_id),
    name: request.name,
    email: request.email,
    clientType: request.client_type,
    isPublic: plan.isPublic,
    redirectUris: [...plan.redirectUris],
    ...(plan.grantTypes === undefined ? {} : { grantTypes: [...plan.grantTypes] }),
    oidcEnabled: agent === undefined,
    hydraClientId: agent === undefined ? hydraIdOf(id) : null,
    agentType: agent?.agentType ?? (request.client_type === 'claw_auth' ? CLAW_AUTH : null),
    platform: agent?.platform ?? null,
    selectors: agent?.selectors ?? null,
    spiffeId: agent === undefined ? null : spiffeIdOf(ctx.config, t.tenantId, agent.agentType, id),
    serviceAccountId: plan.isPublic ? null : await addServiceAccount(t, ctx, id, request.name),
    validFrom: at,
    createdAt: at,
    updatedAt: at,
    ...(secret ? { secretHash: secret.hash } : {}),
    ...(sdk ? { sdkSecretHash: sdk.hash } : {}),
  })
  const row = await findClient(t, id)
  if (row === undefined) throw new Error('the client was just added')
  return row
}

/** Hints about a client that is not usable yet. */
const warningsOf = (request: Input, { redirectUris, agent }: Plan): string[] => [
  ...(request.client_type === 'application' && redirectUris.length === 0 ? ['No react_app_url: people cannot be sent back after signing in.'] : []),
  ...(agent !== undefined && agent.selectors === undefined ? ['No selectors: nothing can attest this agent yet.'] : []),
]

/**
 * Creates a client with its service account and secrets, which are disclosed in this answer only.
 * @throws AppError invalid_request, not_found (project), quota_exceeded
 */
export const createClient = async (
  ctx: RequestCtx,
  caller: User,
  tenantId: TenantId,
  request: Input,
  { also, ...planned }: Planned = {},
): Promise<Created> => {
  const plan = { ...planClient(request), ...planned }
  const secrets = secretsFor(ctx, plan)
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const tenant = await findTenant(t)
    if (tenant === undefined) throw new AppError('not_found')
    await consumeQuota(t, tenant.settings, 'clients')
    const added = await storeClient(t, ctx, request, plan, secrets)
    const after = {
      name: added.name,
      email: added.email,
      client_type: added.clientType,
      redirect_uris: added.redirectUris,
      spiffe_id: added.spiffeId,
    }
    await recordEvent(t, ctx, { event: 'client.created', actor: byUser(caller), target: { type: 'client', id: added.id }, after })
    await also?.(t, added)
    return added
  })
  return {
    ...toRegisteredClient(row),
    ...(secrets.secret ? { secret_id: secrets.secret.secret } : {}),
    ...(secrets.sdk ? { sdk_client_id: sdkClientId(row.id, secrets.sdk.secret) } : {}),
    ...(row.spiffeId === null ? {} : { spiffe_id: row.spiffeId }),
    ...(row.serviceAccountId === null ? {} : { service_account_id: row.serviceAccountId }),
    warnings: warningsOf(request, plan),
    message: 'Client created successfully',
  }
}

/** A client as registration returns it, without secrets. */
export const toRegisteredClient = (row: Client) => ({
  id: row.id,
  client_id: row.id,
  tenant_id: row.tenantId,
  project_id: row.projectId ?? '',
  name: row.name,
  email: row.email ?? '',
  active: row.active,
  created_at: row.createdAt.toISOString(),
  message: '',
})

export type ClientsRequest = { readonly filter: ClientFilter; readonly page: Page<'created_at'>; readonly number: number; readonly limit: number }
export type FoundClients = { readonly rows: Client[]; readonly total: number }

/** Reads one row more than the limit, to know whether a next page exists. */
export const findClientPage = async (t: TenantDb, { filter, page, number, limit }: ClientsRequest): Promise<FoundClients> => {
  const offset = page.after === undefined ? (number - 1) * limit : 0
  return { rows: await listClients(t, filter, page, offset), total: await countClients(t, filter) }
}

/** Clients in the shape of the management's list. */
export const toListedClients = async (t: TenantDb, rows: readonly Client[]): Promise<z.input<typeof ListedClient>[]> => {
  const responses = await toClientResponses(t, rows)
  const people = await countUsersOfClients(
    t,
    rows.map(({ id }) => id),
  )
  return responses.map((client) => ({
    ...client,
    authentication_methods: ['password'],
    user_count: people.get(client.id) ?? 0,
    deleted: client.status === 'Deleted',
  }))
}
