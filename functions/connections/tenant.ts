// A tenant's sign-in configuration as a whole: its main client and its own providers, set up, changed, taken away, looked at.
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

/** What one of several came to: the others go on without it. Anything but a refusal ends them all. */
const each = async <T, R>(
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

/** The client first; a provider that cannot be added is named, and the others are. @throws AppError client_configured, invalid_request, cannot_grant, … */
export const configureTenant = async (ctx: Ctx, caller: User, body: z.output<typeof Configure>): Promise<ConfiguredAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const { client, secret } = await actInTenant(ctx, caller, tenantId, (t, grantable) =>
    configureMainClient(t, ctx, { caller, grantable }, body.tenant_client, 'tenant_client.'),
  )
  const { done, failed } = await each(body.oidc_providers, (one, at) =>
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

/** @throws AppError not_found where the id is of no client of the tenant, or of another than its main one; client_configured, … */
export const createBase = async (ctx: Ctx, caller: User, body: z.output<typeof CreateBase>): Promise<z.input<typeof CreatedBase>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!isBaseClient(base, body.client_id)) throw new AppError('not_found')
  const { client, secret } = await actInTenant(ctx, caller, tenantId, (t, grantable) =>
    configureMainClient(t, ctx, { caller, grantable }, { redirect_uris: body.redirect_uris, scopes: body.scopes }, ''),
  )
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

/** A page of all companies, the oldest first. Each one's rows are read as that company. */
export const listAllTenants = async (ctx: Ctx, { limit, page }: z.output<typeof ListAll>): Promise<z.input<typeof AllTenants>> => {
  const { tenantIds } = await pageOfTenants(directory(ctx.db), { system: SYSTEM_TENANT, offset: (page - 1) * limit, limit })
  const tenants = []
  for (const tenantId of tenantIds) {
    const base = await findBaseClient(ctx, tenantId).catch(gone)
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

/** Deleted between the directory and here. */
const gone = (error: unknown): undefined => {
  if (error instanceof AppError && error.code === 'not_found') return undefined
  throw error
}

type PutAsked = ProviderRequest & { readonly provider_name: string }

/** Changed where it is there, else added. */
const put = (ctx: Ctx, caller: User, tenantId: TenantId, one: PutAsked, at: string): Promise<{ row: Provider; action: 'created' | 'updated' }> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockProvider(t, providerNameOf(one.provider_name))
    if (row !== undefined)
      return { row: await changeConnection(t, ctx, caller, row, connectionInputOf(one), providerFieldsAt(at)), action: 'updated' as const }
    return { row: await addConnection(t, ctx, caller, one.provider_name, connectionInputOf(one), providerFieldsAt(at)), action: 'created' as const }
  })

type UpdatedAs =
  | { readonly status: 200; readonly body: z.input<typeof UpdatedConfiguration> }
  | { readonly status: 206; readonly body: z.input<typeof UpdatedConfiguration> }

/** @throws AppError not_found where the main client is not set up, invalid_request, cannot_grant */
export const updateComplete = async (ctx: Ctx, caller: User, body: z.output<typeof UpdateComplete>): Promise<UpdatedAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!base.client.oidcEnabled) throw new AppError('not_found')
  const { tenant_client: request, oidc_providers: wanted } = body
  const client =
    request === undefined
      ? undefined
      : await actInTenant(ctx, caller, tenantId, async (t, grantable) =>
          changeMainClient(t, ctx, { caller, grantable }, await lockMainClient(t), { ...request, enabled: true }, 'tenant_client.'),
        )
  const { done, failed } = await each(wanted ?? [], (one, at) => put(ctx, caller, tenantId, one, `body.oidc_providers.${at}`))
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
    ...(wanted === undefined
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
 * All of it, or the one that is named, in one transaction: there is no half of it, so `force` changes nothing. The main client itself stays, since people belong
 * to it; it loses where it may send them.
 * @throws AppError not_found where there is nothing to delete, cannot_grant
 */
export const deleteComplete = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof DeleteComplete>,
): Promise<z.input<typeof DeletedConfiguration>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const named = body.client_id
  const isWanted = (name: string): boolean => named === undefined || named === providerId(base.client, name)
  const deleted = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const client = await lockMainClient(t)
    const rows = (await lockProviders(t)).filter(({ providerName }) => isWanted(providerName))
    for (const row of rows) await removeConnection(t, ctx, caller, row)
    const isMain = client.oidcEnabled && (named === undefined || isBaseClient(base, named))
    if (isMain) await changeMainClient(t, ctx, { caller, grantable }, client, { redirect_uris: [], enabled: false }, '')
    return [...(isMain ? [mainId(client)] : []), ...rows.map(({ providerName }) => providerId(client, providerName))]
  })
  if (deleted.length === 0) throw new AppError('not_found')
  return enveloped(ctx, 'OIDC configuration deleted successfully', {
    ...ids(tenantId),
    deleted_clients: deleted,
    failed_deletions: [],
    deleted_count: deleted.length,
    failed_count: 0,
  })
}

/** What a sign-in page shows, for whoever is not known yet: names and order. @throws AppError not_found */
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

/** The provider by the name that was typed. @throws AppError not_found */
export const requireProvider = async (ctx: Ctx, tenantId: TenantId, typed: string): Promise<Provider> => {
  const row = await findProvider(forTenant(ctx.db, tenantId), providerNameOf(typed))
  if (row === undefined) throw new AppError('not_found')
  return row
}
