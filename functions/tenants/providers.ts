// Identity providers of the whole platform. Administrators of every tenant may read them; only platform administrators change them.
import type * as z from 'zod'
import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { DEFAULT_PROVIDER_ORDER, insertProvider, listProviders, lockProvider, type Provider, updateProvider } from '#db/store/providers'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { ChangeProvider, NewProvider, ProviderChanged, TenantProviderOut, TenantProviders } from './providers.schema.ts'

type ResponseBody = z.input<typeof TenantProviderOut>

const SEALED = 'sealed'
const pathOf = (row: Pick<Provider, 'sealedClientSecret'>): string => (row.sealedClientSecret === null ? '' : SEALED)

const toResponse = (row: Provider): ResponseBody => ({
  id: row.id,
  provider_name: row.providerName,
  display_name: row.displayName,
  client_id: row.clientId,
  client_secret_vault_path: pathOf(row),
  authorization_url: row.authorizationUrl,
  token_url: row.tokenUrl,
  userinfo_url: row.userinfoUrl,
  scopes: row.scopes,
  ...(row.iconUrl === null ? {} : { icon_url: row.iconUrl }),
  is_active: row.isActive,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

export const showTenantProviders = async (ctx: Pick<Ctx, 'db'>): Promise<z.input<typeof TenantProviders>> => ({
  providers: (await listProviders(forTenant(ctx.db, SYSTEM_TENANT))).map(toResponse),
})

const sealed = (t: TenantTx, ctx: Ctx, providerId: string, secret: string): Promise<Uint8Array> =>
  ctx.keyring.seal(t, SYSTEM_TENANT, secret, providerSecretContext(providerId))

const kept = (row: Pick<Provider, 'clientId' | 'isActive' | 'iconUrl' | 'sealedClientSecret'>) => ({
  client_id: row.clientId,
  is_active: row.isActive,
  icon_url: row.iconUrl,
  has_secret: row.sealedClientSecret !== null,
})

/** A provider without a client id cannot be active. @throws AppError invalid_request */
const requireUsable = (row: Pick<Provider, 'clientId' | 'isActive'>): void => {
  if (row.isActive && row.clientId === '')
    throw new AppError('invalid_request', 'body.is_active: needs a client_id first', { field: 'body.is_active' })
}

type Input = z.output<typeof ChangeProvider>
type Change = Partial<Pick<Provider, 'clientId' | 'isActive' | 'iconUrl' | 'sealedClientSecret'>> & { readonly updatedAt: Date }

/** A path into another secret store is refused; the returned value may be sent back. @throws AppError invalid_request */
const requireNoPath = (row: Provider, { client_secret_vault_path: path }: Input): void => {
  if (path === undefined || path === pathOf(row)) return
  const field = 'body.client_secret_vault_path'
  throw new AppError('invalid_request', `${field}: secrets are kept sealed here; send client_secret`, { field })
}

/** @throws AppError not_found, invalid_request */
export const changeTenantProvider = async (ctx: Ctx, caller: User, name: string, body: Input): Promise<z.input<typeof ProviderChanged>> => {
  await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    requireNoPath(row, body)
    const set: Change = {
      ...(body.client_id === undefined ? {} : { clientId: body.client_id }),
      ...(body.is_active === undefined ? {} : { isActive: body.is_active }),
      ...(body.icon_url === undefined ? {} : { iconUrl: body.icon_url }),
      ...(body.client_secret === undefined ? {} : { sealedClientSecret: await sealed(t, ctx, row.id, body.client_secret) }),
      updatedAt: ctx.clock.now(),
    }
    const next = { ...row, ...set }
    requireUsable(next)
    await updateProvider(t, row.id, set)
    await recordEvent(t, ctx, {
      event: 'oidc_provider.updated',
      actor: byUser(caller),
      target: { type: 'oidc_provider', id: row.id },
      before: kept(row),
      after: { ...kept(next), secret_replaced: body.client_secret !== undefined },
    })
  })
  return { message: 'Provider updated successfully' }
}

/** Members that otherwise only a tenant's own provider has. */
const PLAIN = {
  jwksUrl: '',
  additionalParams: {},
  icon: null,
  buttonText: null,
  sortOrder: DEFAULT_PROVIDER_ORDER,
  allowedEmailDomains: [],
  jitProvisioning: false,
  trustsFactors: false,
}

/** @throws AppError provider_exists, invalid_request */
export const addTenantProvider = async (ctx: Ctx, caller: User, body: z.output<typeof NewProvider>): Promise<ResponseBody> =>
  atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const [id, at] = [ctx.random.id(), ctx.clock.now()]
    const row: Provider = {
      tenantId: SYSTEM_TENANT,
      id,
      providerName: body.provider_name,
      displayName: body.display_name,
      clientId: body.client_id ?? '',
      sealedClientSecret: body.client_secret === undefined ? null : await sealed(t, ctx, id, body.client_secret),
      issuer: body.issuer ?? null,
      authorizationUrl: body.authorization_url,
      tokenUrl: body.token_url,
      userinfoUrl: body.userinfo_url,
      scopes: body.scopes,
      iconUrl: body.icon_url ?? null,
      ...PLAIN,
      isActive: body.is_active,
      createdAt: at,
      updatedAt: at,
    }
    requireUsable(row)
    if (!(await insertProvider(t, row))) throw new AppError('provider_exists', undefined, { field: 'body.provider_name' })
    const after = { provider_name: row.providerName, ...kept(row) }
    await recordEvent(t, ctx, { event: 'oidc_provider.created', actor: byUser(caller), target: { type: 'oidc_provider', id }, after })
    return toResponse(row)
  })
