// A tenant's own providers on the paths of AuthSec.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { listProviders, lockProvider } from '#db/store/providers'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { addConnection, changeConnection, providerNameOf, removeConnection } from './connection.ts'
import { checkConnection } from './connection-check.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import { connectionInputOf, providerFieldsAt } from './provider-input.ts'
import type {
  AddedOidcProvider,
  AddOidcProvider,
  DeletedOidcProvider,
  DeleteOidcProvider,
  GetConfig,
  NamedOidcProvider,
  OidcConfig,
  OidcProviderResponse,
  OidcTemplates,
  TestedFlow,
  TestFlow,
  UpdatedOidcProvider,
  UpdateOidcProvider,
  ValidatedOidcProvider,
} from './providers.schema.ts'
import { OIDC_TEMPLATES } from './templates.ts'
import { requireProvider } from './tenant.ts'
import {
  findBaseClient,
  isBaseClient,
  loginUrl,
  providerCallbackUrl,
  providerId,
  toListedProvider,
  toMainClient,
  toPlacedProvider,
  toProviderConfig,
} from './view.ts'

/** @throws AppError not_found (no such main client), invalid_request, provider_exists, provider_limit, cannot_grant */
export const addOidcProvider = async (ctx: Ctx, caller: User, body: z.output<typeof AddOidcProvider>): Promise<z.input<typeof AddedOidcProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!isBaseClient(base, body.client_id)) throw new AppError('not_found')
  const row = await atomically(base.t, (t) =>
    addConnection(t, ctx, caller, body.provider.provider_name, connectionInputOf(body.provider), providerFieldsAt('body.provider')),
  )
  return enveloped(ctx, 'OIDC provider added successfully', {
    tenant_id: tenantId as string,
    ...toListedProvider(base, row),
    callback_url: providerCallbackUrl(ctx),
    created_at: row.createdAt.toISOString(),
  })
}

/** @throws AppError not_found */
export const getConfig = async (ctx: Ctx, caller: User, body: z.output<typeof GetConfig>): Promise<z.input<typeof OidcConfig>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  if (!isBaseClient(base, body.client_id)) throw new AppError('not_found')
  const providers = (await listProviders(base.t)).map((row) => toPlacedProvider(ctx, base, row))
  return enveloped(ctx, 'OIDC configuration retrieved successfully', {
    tenant_id: tenantId as string,
    tenant_client: { ...toMainClient(base.client), redirect_uris: base.client.redirectUris, scopes: base.client.allowedScopes ?? [] },
    oidc_providers: providers,
    provider_count: providers.length,
  })
}

/** @throws AppError not_found */
export const getOidcProvider = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof NamedOidcProvider>,
): Promise<z.input<typeof OidcProviderResponse>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const row = await requireProvider(ctx, tenantId, body.provider_name)
  const { provider_config, ...rest } = toPlacedProvider(ctx, await findBaseClient(ctx, tenantId), row)
  return enveloped(ctx, 'OIDC provider retrieved successfully', {
    tenant_id: tenantId as string,
    ...rest,
    client_secret: provider_config.client_secret,
    provider_config,
  })
}

/** Always refuses, because secrets are write-only. @throws AppError not_found, secret_write_only */
export const refuseSecret = async (ctx: Ctx, caller: User, body: z.output<typeof NamedOidcProvider>): Promise<never> => {
  await requireProvider(ctx, actingTenant(caller, body.tenant_id), body.provider_name)
  throw new AppError('secret_write_only', undefined, {
    refusal: { tenantId: actingTenant(caller, body.tenant_id), userId: caller.userId, event: 'oidc_provider.updated' },
  })
}

/** A `Client-Id` header must match the named provider. @throws AppError not_found */
const requireNamedClient = (ctx: Ctx, own: string): void => {
  const reported = ctx.request.header('client-id') ?? ctx.request.header('x-client-id')
  if (reported !== undefined && reported !== '' && reported !== own) throw new AppError('not_found')
}

/** @throws AppError not_found, invalid_request, cannot_grant */
export const updateOidcProvider = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof UpdateOidcProvider>,
): Promise<z.input<typeof UpdatedOidcProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { client } = await findBaseClient(ctx, tenantId)
  const name = providerNameOf(body.provider_name)
  requireNamedClient(ctx, providerId(client, name))
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    return changeConnection(t, ctx, caller, row, connectionInputOf(body), providerFieldsAt('body'))
  })
  return enveloped(ctx, 'OIDC provider updated successfully', {
    provider_name: row.providerName,
    client_id: providerId(client, row.providerName),
    updated_at: row.updatedAt.toISOString(),
  })
}

/** @throws AppError not_found */
export const deleteOidcProvider = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof DeleteOidcProvider>,
): Promise<z.input<typeof DeletedOidcProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const name = providerNameOf(body.provider_name)
  if (!isBaseClient(base, body.client_id) && body.client_id !== providerId(base.client, name)) throw new AppError('not_found')
  await atomically(base.t, async (t) => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    await removeConnection(t, ctx, caller, row)
  })
  return enveloped(ctx, 'OIDC provider deleted successfully', { provider_name: name, deleted_at: ctx.clock.now().toISOString() })
}

export const showTemplates = async (ctx: Ctx): Promise<z.input<typeof OidcTemplates>> =>
  enveloped(ctx, 'Provider templates retrieved successfully', {
    templates: { ...OIDC_TEMPLATES },
    count: Object.keys(OIDC_TEMPLATES).length,
    instructions: `Register ${providerCallbackUrl(ctx)} as redirect URI at the provider, then send its client id and secret. Secrets are write-only.`,
  })

/** Validates the stored configuration and tests the provider. @throws AppError not_found */
export const validateOidcProvider = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof NamedOidcProvider>,
): Promise<z.input<typeof ValidatedOidcProvider>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const row = await requireProvider(ctx, tenantId, body.provider_name)
  const { client } = await findBaseClient(ctx, tenantId)
  const { usable, errors, warnings, reason, tested_at } = await checkConnection(ctx, caller, row)
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

/** Returns the addresses of a sign-in without starting one. @throws AppError not_found */
export const testFlow = async (ctx: Ctx, caller: User, body: z.output<typeof TestFlow>): Promise<z.input<typeof TestedFlow>> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const { tenant, client } = await findBaseClient(ctx, tenantId)
  const row = body.provider_name === undefined ? undefined : await requireProvider(ctx, tenantId, body.provider_name)
  return enveloped(ctx, 'OIDC flow test data', {
    tenant_id: tenantId as string,
    org_id: tenantId as string,
    tenant_client_id: client.id,
    login_url_template: `${loginUrl(ctx, tenant)}&return_to={path}`,
    ...(row === undefined ? {} : { provider_callback_url: providerCallbackUrl(ctx), provider_config: toProviderConfig(row) }),
  })
}
