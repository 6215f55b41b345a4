// A tenant's whole sign-in configuration: set-up, change, deletion and reading of its main client and its own providers.
import type * as z from 'zod'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { countClients } from '#db/store/client-list'
import { findProvider, listProviders, lockProvider, lockProviders, type Provider } from '#db/store/providers'
import { pageOfTenants } from '#db/store/tenants'
import { actInTenant, actingTenant } from '#shared/domains/authority/acting-tenant'
import { listUpstreams } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { withStatus } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, changeConnection, providerNameOf, removeConnection } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import { changeMainClient, configureMainClient, lockMainClient } from './main-client.ts'
import { connectionInputOf, providerFieldsAt } from './provider-input.ts'
import type {
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
import { findBaseClient, isBaseClient, loginUrl, mainId, providerCallbackUrl, providerId, toListedProvider, toMainClient } from './view.ts'
import type { ProviderRequest } from './wire.schema.ts'

const ids = (tenantId: TenantId) => ({ tenant_id: tenantId as string, org_id: tenantId as string })

/** Runs `work` for each item and collects refusals, so that one refused item does not stop the others. Any other error is thrown. */
const runEach = async <T, R>(
  all: readonly T[],
  work: (one: T, at: number) => Promise<R>,
): Promise<{ done: R[]; failed: { one: T; error: string }[] }> => {
  const [done, failed]: [R[], { one: T; error: string }[]] = [[], []]
  for (const [at, one] of all.entries()) {
    try {
      done.push(await work(one, at))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      failed.push({ one, error: error.message })
    }
  }
  return { done, failed }
}

type ConfiguredAs =
  | { readonly status: 201; readonly body: z.input<typeof ConfiguredTenant> }
  | { readonly status: 206; readonly body: z.input<typeof ConfiguredTenant> }

/** Configures the client first. Refused providers are reported, and the others are added. @throws AppError client_configured, invalid_request, cannot_grant, … */
export const configureTenant = async (ctx: Ctx, caller: User, body: z.output<typeof Configure>): Promise<ConfiguredAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const { client, secret } = await actInTenant(ctx, caller, tenantId, (t, grantable) =>
    configureMainClient(t, ctx, { caller, grantable }, body.tenant_client, 'tenant_client.'),
  )
  ctx.wakeOutbox()
  const { done, failed } = await runEach(body.oidc_providers, (one, at) =>
    atomically(base.t, (t) =>
      addConnection(t, ctx, caller, one.provider_name, connectionInputOf(one), providerFieldsAt(`body.oidc_providers.${at}`)),
    ),
  )
  const data = {
    success: failed.length === 0,
    ...ids(tenantId),
    tenant_name: base.tenant.name,
    tenant_client: { client_id: client.id, client_secret: secret, redirect_uris: client.redirectUris, scopes: client.allowedScopes ?? [] },
    oidc_providers: {
      created: done.map((row) => ({ ...toListedProvider(base, row), callback_url: providerCallbackUrl(ctx) })),
      failed: failed.map(({ one, error }) => ({ provider_name: providerNameOf(one.provider_name), error })),
      total: body.oidc_providers.length,
      success_count: done.length,
      failed_count: failed.length,
    },
    login_url: loginUrl(ctx, base.tenant),
    callback_urls: Object.fromEntries(done.map(({ providerName }) => [providerName, providerCallbackUrl(ctx)])),
  }
  if (failed.length === 0) return withStatus(201, enveloped(ctx, 'OIDC configuration created successfully', data))
  return withStatus(206, enveloped(ctx, 'OIDC configuration created; some providers failed', data, false))
}

/** @throws AppError not_found for an id other than the tenant's main client; client_configured, … */
export const createBase = async (ctx: Ctx, caller: User, body: z.output<typeof CreateBase>): Promise<z.input<typeof CreatedBase>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!isBaseClient(base, body.client_id)) throw new AppError('not_found')
  const { client, secret } = await actInTenant(ctx, caller, tenantId, (t, grantable) =>
    configureMainClient(t, ctx, { caller, grantable }, { redirect_uris: body.redirect_uris, scopes: body.scopes }, ''),
  )
  ctx.wakeOutbox()
  return enveloped(ctx, 'Base client created successfully', {
    tenant_name: base.tenant.name,
    client_id: client.id,
    client_secret: secret,
    redirect_uris: client.redirectUris,
    scopes: client.allowedScopes ?? [],
    created_at: client.createdAt.toISOString(),
  })
}

export const checkExists = async (ctx: Ctx, caller: User, body: z.output<typeof OfTenant>): Promise<z.input<typeof ConfigurationExists>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { tenant, client } = await findBaseClient(ctx, tenantId)
  const info = client.oidcEnabled ? { ...ids(tenantId), tenant_name: tenant.name, ...toMainClient(client) } : null
  return enveloped(ctx, 'Tenant checked', { exists: client.oidcEnabled, ...ids(tenantId), tenant_info: info })
}

/** Returns a page of all tenants, oldest first. Each tenant's rows are read in that tenant. */
export const listAllTenants = async (ctx: Ctx, { limit, page }: z.output<typeof ListAll>): Promise<z.input<typeof AllTenants>> => {
  const { tenantIds } = await pageOfTenants(directory(ctx.db), { system: SYSTEM_TENANT, offset: (page - 1) * limit, limit })
  const tenants = []
  for (const tenantId of tenantIds) {
    const base = await findBaseClient(ctx, tenantId).catch(undefinedIfNotFound)
    if (base === undefined) continue
    const providers = await listProviders(base.t)
    tenants.push({
      ...ids(tenantId),
      tenant_name: base.tenant.name,
      main_client: base.client.oidcEnabled ? toMainClient(base.client) : null,
      oidc_providers: providers.map((row) => toListedProvider(base, row)),
      total_clients: await countClients(base.t, {}),
      active_providers: providers.filter(({ isActive }) => isActive).length,
    })
  }
  return enveloped(ctx, 'Tenants retrieved successfully', { tenants, count: tenants.length })
}

/** For a tenant that was deleted after the directory was read. */
const undefinedIfNotFound = (error: unknown): undefined => {
  if (error instanceof AppError && error.code === 'not_found') return undefined
  throw error
}

type NamedProviderRequest = ProviderRequest & { readonly provider_name: string }

/** Changes a provider, or adds it when it is missing. */
const putProvider = (
  ctx: Ctx,
  caller: User,
  tenantId: TenantId,
  one: NamedProviderRequest,
  at: string,
): Promise<{ row: Provider; action: 'created' | 'updated' }> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockProvider(t, providerNameOf(one.provider_name))
    if (row !== undefined)
      return { row: await changeConnection(t, ctx, caller, row, connectionInputOf(one), providerFieldsAt(at)), action: 'updated' as const }
    return { row: await addConnection(t, ctx, caller, one.provider_name, connectionInputOf(one), providerFieldsAt(at)), action: 'created' as const }
  })

type UpdatedAs =
  | { readonly status: 200; readonly body: z.input<typeof UpdatedConfiguration> }
  | { readonly status: 206; readonly body: z.input<typeof UpdatedConfiguration> }

/** @throws AppError not_found when the main client is not configured, invalid_request, cannot_grant */
export const updateComplete = async (ctx: Ctx, caller: User, body: z.output<typeof UpdateComplete>): Promise<UpdatedAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!base.client.oidcEnabled) throw new AppError('not_found')
  const { tenant_client: request, oidc_providers: requested } = body
  const client =
    request === undefined
      ? undefined
      : await actInTenant(ctx, caller, tenantId, async (t, grantable) =>
          changeMainClient(t, ctx, { caller, grantable }, await lockMainClient(t), { ...request, enabled: true }, 'tenant_client.'),
        )
  ctx.wakeOutbox()
  const { done, failed } = await runEach(requested ?? [], (one, at) => putProvider(ctx, caller, tenantId, one, `body.oidc_providers.${at}`))
  const known = new Set((await listProviders(base.t)).map(({ providerName }) => providerName))
  const data = {
    success: failed.length === 0,
    ...ids(tenantId),
    updated_at: ctx.clock.now().toISOString(),
    updated_by: caller.userId,
    ...(client === undefined
      ? {}
      : {
          tenant_client: {
            client_id: client.id,
            client_name: client.name,
            redirect_uris: client.redirectUris,
            scopes: client.allowedScopes ?? [],
            updated: true,
          },
        }),
    ...(requested === undefined
      ? {}
      : {
          oidc_providers: {
            updated: done.map(({ row, action }) => ({ ...toListedProvider(base, row), action })),
            failed: failed.map(({ one, error }) => {
              const provider_name = providerNameOf(one.provider_name)
              return { provider_name, action: known.has(provider_name) ? ('update' as const) : ('create' as const), error }
            }),
            success_count: done.length,
            failed_count: failed.length,
          },
        }),
  }
  if (failed.length === 0) return withStatus(200, enveloped(ctx, 'OIDC configuration updated successfully', data))
  return withStatus(206, enveloped(ctx, 'OIDC configuration updated; some providers failed', data, false))
}

/**
 * Deletes everything, or what `client_id` names, in one transaction, so `force` has no effect. The main client itself is kept, because people belong to it; it
 * loses its redirect URIs.
 * @throws AppError not_found when there is nothing to delete, cannot_grant
 */
export const deleteComplete = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof DeleteComplete>,
): Promise<z.input<typeof DeletedConfiguration>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const named = body.client_id
  const isSelected = (name: string): boolean => named === undefined || named === providerId(base.client, name)
  const deleted = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const client = await lockMainClient(t)
    const rows = (await lockProviders(t)).filter(({ providerName }) => isSelected(providerName))
    for (const row of rows) await removeConnection(t, ctx, caller, row)
    const isMain = client.oidcEnabled && (named === undefined || isBaseClient(base, named))
    if (isMain) await changeMainClient(t, ctx, { caller, grantable }, client, { redirect_uris: [], enabled: false }, '')
    return [...(isMain ? [mainId(client)] : []), ...rows.map(({ providerName }) => providerId(client, providerName))]
  })
  if (deleted.length === 0) throw new AppError('not_found')
  ctx.wakeOutbox()
  return enveloped(ctx, 'OIDC configuration deleted successfully', {
    ...ids(tenantId),
    deleted_clients: deleted,
    failed_deletions: [],
    deleted_count: deleted.length,
    failed_count: 0,
  })
}

/** Returns names and order of the providers for an anonymous sign-in page. @throws AppError not_found */
export const loginPage = async (ctx: Ctx, body: z.output<typeof OfTenant>): Promise<z.input<typeof LoginPage>> => {
  const tenantId = body.tenant_id as TenantId
  const { tenant, client } = await findBaseClient(ctx, tenantId)
  if (tenant.status !== 'active' || tenantId === SYSTEM_TENANT) throw new AppError('not_found')
  const offered = await listUpstreams(ctx, tenantId)
  const providers = offered.map(({ name, displayName, sortOrder }) => ({ provider_name: name, display_name: displayName, sort_order: sortOrder }))
  return enveloped(ctx, 'Login page data retrieved successfully', {
    ...ids(tenantId),
    tenant_name: tenant.name,
    client_name: client.name,
    main_client_id: client.id,
    providers,
    provider_count: providers.length,
  })
}

/** Finds a provider by name in any spelling. @throws AppError not_found */
export const requireProvider = async (ctx: Ctx, tenantId: TenantId, typed: string): Promise<Provider> => {
  const row = await findProvider(forTenant(ctx.db, tenantId), providerNameOf(typed))
  if (row === undefined) throw new AppError('not_found')
  return row
}
