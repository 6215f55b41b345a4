// A tenant's sign-in configuration as a whole: its main client and its own providers, set up, changed, taken away, looked at.
import type * as z from 'zod'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { countClients } from '#db/store/client-list'
import { findProvider, listProviders, lockProvider, lockProviders, type Provider } from '#db/store/providers'
import { pageOfTenants } from '#db/store/tenants'
import { acting, actingTenant } from '#shared/domains/authority/acting'
import { listUpstreams } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { as } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, changeConnection, nameOf, removeConnection } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import { changeMain, configureMain, lockMain } from './main-client.ts'
import { fieldsAt, givenOf } from './provider-given.ts'
import type {
  AllTenants,
  Configure,
  Configured,
  CreateBase,
  CreatedBase,
  DeleteComplete,
  Deleted,
  Exists,
  ListAll,
  LoginPage,
  OfTenant,
  UpdateComplete,
  Updated,
} from './tenant.schema.ts'
import { baseOf, callback, listed, loginUrl, mainId, meansBase, providerId, shownMain } from './view.ts'
import type { ProviderAsked } from './wire.schema.ts'

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
  | { readonly status: 201; readonly body: z.input<typeof Configured> }
  | { readonly status: 206; readonly body: z.input<typeof Configured> }

/** The client first; a provider that cannot be added is named, and the others are. @throws AppError client_configured, invalid_request, cannot_grant, … */
export const configure = async (ctx: Ctx, caller: User, body: z.output<typeof Configure>): Promise<ConfiguredAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  const { client, secret } = await acting(ctx, caller, tenantId, (t, grants) =>
    configureMain(t, ctx, { caller, grants }, body.tenant_client, 'tenant_client.'),
  )
  const { done, failed } = await each(body.oidc_providers, (one, at) =>
    atomically(base.t, (t) => addConnection(t, ctx, caller, one.provider_name, givenOf(one), fieldsAt(`body.oidc_providers.${at}`))),
  )
  const data = {
    success: failed.length === 0,
    ...ids(tenantId),
    tenant_name: base.tenant.name,
    tenant_client: { client_id: client.id, client_secret: secret, redirect_uris: client.redirectUris, scopes: client.allowedScopes ?? [] },
    oidc_providers: {
      created: done.map((row) => ({ ...listed(base, row), callback_url: callback(ctx) })),
      failed: failed.map(({ one, error }) => ({ provider_name: nameOf(one.provider_name), error })),
      total: body.oidc_providers.length,
      success_count: done.length,
      failed_count: failed.length,
    },
    login_url: loginUrl(ctx, base.tenant),
    callback_urls: Object.fromEntries(done.map(({ providerName }) => [providerName, callback(ctx)])),
  }
  if (failed.length === 0) return as(201, enveloped(ctx, 'OIDC configuration created successfully', data))
  return as(206, enveloped(ctx, 'OIDC configuration created; some providers failed', data, false))
}

/** @throws AppError not_found where the id is of no client of the tenant, or of another than its main one; client_configured, … */
export const createBase = async (ctx: Ctx, caller: User, body: z.output<typeof CreateBase>): Promise<z.input<typeof CreatedBase>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  if (!meansBase(base, body.client_id)) throw new AppError('not_found')
  const { client, secret } = await acting(ctx, caller, tenantId, (t, grants) =>
    configureMain(t, ctx, { caller, grants }, { redirect_uris: body.redirect_uris, scopes: body.scopes }, ''),
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

export const checkExists = async (ctx: Ctx, caller: User, body: z.output<typeof OfTenant>): Promise<z.input<typeof Exists>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { tenant, client } = await baseOf(ctx, tenantId)
  const info = client.oidcEnabled ? { ...ids(tenantId), tenant_name: tenant.name, ...shownMain(client) } : null
  return enveloped(ctx, 'Tenant checked', { exists: client.oidcEnabled, ...ids(tenantId), tenant_info: info })
}

/** A page of all companies, the oldest first. Each one's rows are read as that company. */
export const listAll = async (ctx: Ctx, { limit, page }: z.output<typeof ListAll>): Promise<z.input<typeof AllTenants>> => {
  const { tenantIds } = await pageOfTenants(directory(ctx.db), { system: SYSTEM_TENANT, offset: (page - 1) * limit, limit })
  const tenants = []
  for (const tenantId of tenantIds) {
    const base = await baseOf(ctx, tenantId).catch(gone)
    if (base === undefined) continue
    const providers = await listProviders(base.t)
    tenants.push({
      ...ids(tenantId),
      tenant_name: base.tenant.name,
      main_client: base.client.oidcEnabled ? shownMain(base.client) : null,
      oidc_providers: providers.map((row) => listed(base, row)),
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

type PutAsked = ProviderAsked & { readonly provider_name: string }

/** Changed where it is there, else added. */
const put = (ctx: Ctx, caller: User, tenantId: TenantId, one: PutAsked, at: string): Promise<{ row: Provider; action: 'created' | 'updated' }> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockProvider(t, nameOf(one.provider_name))
    if (row !== undefined) return { row: await changeConnection(t, ctx, caller, row, givenOf(one), fieldsAt(at)), action: 'updated' as const }
    return { row: await addConnection(t, ctx, caller, one.provider_name, givenOf(one), fieldsAt(at)), action: 'created' as const }
  })

type UpdatedAs = { readonly status: 200; readonly body: z.input<typeof Updated> } | { readonly status: 206; readonly body: z.input<typeof Updated> }

/** @throws AppError not_found where the main client is not set up, invalid_request, cannot_grant */
export const updateComplete = async (ctx: Ctx, caller: User, body: z.output<typeof UpdateComplete>): Promise<UpdatedAs> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  if (!base.client.oidcEnabled) throw new AppError('not_found')
  const { tenant_client: asked, oidc_providers: wanted } = body
  const client =
    asked === undefined
      ? undefined
      : await acting(ctx, caller, tenantId, async (t, grants) =>
          changeMain(t, ctx, { caller, grants }, await lockMain(t), { ...asked, enabled: true }, 'tenant_client.'),
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
            updated: done.map(({ row, action }) => ({ ...listed(base, row), action })),
            failed: failed.map(({ one, error }) => {
              const provider_name = nameOf(one.provider_name)
              return { provider_name, action: known.has(provider_name) ? ('update' as const) : ('create' as const), error }
            }),
            success_count: done.length,
            failed_count: failed.length,
          },
        }),
  }
  if (failed.length === 0) return as(200, enveloped(ctx, 'OIDC configuration updated successfully', data))
  return as(206, enveloped(ctx, 'OIDC configuration updated; some providers failed', data, false))
}

/**
 * All of it, or the one that is named, in one transaction: there is no half of it, so `force` changes nothing. The main client itself stays, since people belong
 * to it; it loses where it may send them.
 * @throws AppError not_found where there is nothing to delete, cannot_grant
 */
export const deleteComplete = async (ctx: Ctx, caller: User, body: z.output<typeof DeleteComplete>): Promise<z.input<typeof Deleted>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  const named = body.client_id
  const isWanted = (name: string): boolean => named === undefined || named === providerId(base.client, name)
  const deleted = await acting(ctx, caller, tenantId, async (t, grants) => {
    const client = await lockMain(t)
    const rows = (await lockProviders(t)).filter(({ providerName }) => isWanted(providerName))
    for (const row of rows) await removeConnection(t, ctx, caller, row)
    const isMain = client.oidcEnabled && (named === undefined || meansBase(base, named))
    if (isMain) await changeMain(t, ctx, { caller, grants }, client, { redirect_uris: [], enabled: false }, '')
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
  const { tenant, client } = await baseOf(ctx, tenantId)
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
  const row = await findProvider(forTenant(ctx.db, tenantId), nameOf(typed))
  if (row === undefined) throw new AppError('not_found')
  return row
}
