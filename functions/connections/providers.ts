// A tenant's own providers in AuthSec's words.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { listProviders, lockProvider } from '#db/store/providers'
import { actingTenant } from '#shared/domains/authority/acting'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, changeConnection, nameOf, removeConnection } from './connection.ts'
import { enveloped } from './envelope.ts'
import { examine } from './examine.ts'
import type { Ctx } from './group.ts'
import { fieldsAt, givenOf } from './provider-given.ts'
import type {
  AddedProvider,
  AddProvider,
  DeletedProvider,
  DeleteProvider,
  GetConfig,
  OfProvider,
  OidcConfig,
  OneProvider,
  Templates,
  TestedFlow,
  TestFlow,
  UpdatedProvider,
  UpdateProvider,
  Validated,
} from './providers.schema.ts'
import { TEMPLATES } from './templates.ts'
import { requireProvider } from './tenant.ts'
import { baseOf, callback, configOf, listed, loginUrl, meansBase, placed, providerId, shownMain } from './view.ts'

/** @throws AppError not_found (no such main client), invalid_request, provider_exists, provider_limit, cannot_grant */
export const addProvider = async (ctx: Ctx, caller: User, body: z.output<typeof AddProvider>): Promise<z.input<typeof AddedProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  if (!meansBase(base, body.client_id)) throw new AppError('not_found')
  const row = await atomically(base.t, (t) =>
    addConnection(t, ctx, caller, body.provider.provider_name, givenOf(body.provider), fieldsAt('body.provider')),
  )
  return enveloped(ctx, 'OIDC provider added successfully', {
    tenant_id: tenantId as string,
    ...listed(base, row),
    callback_url: callback(ctx),
    created_at: row.createdAt.toISOString(),
  })
}

/** @throws AppError not_found */
export const getConfig = async (ctx: Ctx, caller: User, body: z.output<typeof GetConfig>): Promise<z.input<typeof OidcConfig>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  if (!meansBase(base, body.client_id)) throw new AppError('not_found')
  const providers = (await listProviders(base.t)).map((row) => placed(ctx, base, row))
  return enveloped(ctx, 'OIDC configuration retrieved successfully', {
    tenant_id: tenantId as string,
    tenant_client: { ...shownMain(base.client), redirect_uris: base.client.redirectUris, scopes: base.client.allowedScopes ?? [] },
    oidc_providers: providers,
    provider_count: providers.length,
  })
}

/** @throws AppError not_found */
export const getProvider = async (ctx: Ctx, caller: User, body: z.output<typeof OfProvider>): Promise<z.input<typeof OneProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const row = await requireProvider(ctx, tenantId, body.provider_name)
  const { provider_config, ...rest } = placed(ctx, await baseOf(ctx, tenantId), row)
  return enveloped(ctx, 'OIDC provider retrieved successfully', {
    tenant_id: tenantId as string,
    ...rest,
    client_secret: provider_config.client_secret,
    provider_config,
  })
}

/** What was written is never read back, by anybody; what is not there is not found. @throws AppError not_found, secret_write_only */
export const refuseSecret = async (ctx: Ctx, caller: User, body: z.output<typeof OfProvider>): Promise<never> => {
  await requireProvider(ctx, actingTenant(caller, body.tenant_id), body.provider_name)
  throw new AppError('secret_write_only', undefined, {
    refusal: { tenantId: actingTenant(caller, body.tenant_id), userId: caller.userId, event: 'oidc_provider.updated' },
  })
}

/** Names are one provider's, so a `Client-Id` beside one has to be that provider's. @throws AppError not_found */
const requireNamedClient = (ctx: Ctx, own: string): void => {
  const said = ctx.request.header('client-id') ?? ctx.request.header('x-client-id')
  if (said !== undefined && said !== '' && said !== own) throw new AppError('not_found')
}

/** @throws AppError not_found, invalid_request, cannot_grant */
export const updateProvider = async (ctx: Ctx, caller: User, body: z.output<typeof UpdateProvider>): Promise<z.input<typeof UpdatedProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { client } = await baseOf(ctx, tenantId)
  const name = nameOf(body.provider_name)
  requireNamedClient(ctx, providerId(client, name))
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const held = await lockProvider(t, name)
    if (held === undefined) throw new AppError('not_found')
    return changeConnection(t, ctx, caller, held, givenOf(body), fieldsAt('body'))
  })
  return enveloped(ctx, 'OIDC provider updated successfully', {
    provider_name: row.providerName,
    client_id: providerId(client, row.providerName),
    updated_at: row.updatedAt.toISOString(),
  })
}

/** @throws AppError not_found */
export const deleteProvider = async (ctx: Ctx, caller: User, body: z.output<typeof DeleteProvider>): Promise<z.input<typeof DeletedProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  const name = nameOf(body.provider_name)
  if (!meansBase(base, body.client_id) && body.client_id !== providerId(base.client, name)) throw new AppError('not_found')
  await atomically(base.t, async (t) => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    await removeConnection(t, ctx, caller, row)
  })
  return enveloped(ctx, 'OIDC provider deleted successfully', { provider_name: name, deleted_at: ctx.clock.now().toISOString() })
}

export const showTemplates = async (ctx: Ctx): Promise<z.input<typeof Templates>> =>
  enveloped(ctx, 'Provider templates retrieved successfully', {
    templates: { ...TEMPLATES },
    count: Object.keys(TEMPLATES).length,
    instructions: `Register ${callback(ctx)} as redirect URI at the provider, then send its client id and secret. A secret is never shown again.`,
  })

/** Beside what is missing in it, what the provider itself says to it now. @throws AppError not_found */
export const validateProvider = async (ctx: Ctx, caller: User, body: z.output<typeof OfProvider>): Promise<z.input<typeof Validated>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const row = await requireProvider(ctx, tenantId, body.provider_name)
  const { client } = await baseOf(ctx, tenantId)
  const { usable, errors, warnings, reason, tested_at } = await examine(ctx, caller, row)
  const missing = row.sealedClientSecret === null ? ['client_secret_missing'] : []
  const is_valid = usable && missing.length === 0
  return enveloped(
    ctx,
    is_valid ? 'Provider configuration is valid' : 'Provider configuration has errors',
    {
      provider_name: row.providerName,
      client_id: providerId(client, row.providerName),
      is_valid,
      errors: [...missing, ...errors, ...(reason === null ? [] : [reason])],
      warnings: warnings.filter((warning) => warning !== 'client_secret_missing'),
      validated_at: tested_at,
    },
    is_valid,
  )
}

/** Where a sign-in would go, without one. @throws AppError not_found */
export const testFlow = async (ctx: Ctx, caller: User, body: z.output<typeof TestFlow>): Promise<z.input<typeof TestedFlow>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { tenant, client } = await baseOf(ctx, tenantId)
  const row = body.provider_name === undefined ? undefined : await requireProvider(ctx, tenantId, body.provider_name)
  return enveloped(ctx, 'OIDC flow test data', {
    tenant_id: tenantId as string,
    org_id: tenantId as string,
    tenant_client_id: client.id,
    login_url_template: `${loginUrl(ctx, tenant)}&return_to={path}`,
    ...(row === undefined ? {} : { provider_callback_url: callback(ctx), provider_config: configOf(row) }),
  })
}
