// A tenant's own provider: validation, and every change of it for all routes. Everything runs inside the transaction of the change.
import type { TenantTx } from '#db/engine/tenant'
import {
  DEFAULT_PROVIDER_ORDER,
  deleteProvider,
  insertProvider,
  listProviders,
  type NewProvider,
  type Provider,
  updateProvider,
} from '#db/store/providers'
import { findTenant } from '#db/store/tenants'
import { requireFullRole } from '#shared/domains/authority/access-change'
import { grantableIn } from '#shared/domains/authority/acting-tenant'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { upstreamOf } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const MAX_PROVIDERS = 50

/** Members of a provider; an absent member is unchanged, or has its default. */
export type ConnectionInput = Partial<
  Pick<
    Provider,
    | 'displayName'
    | 'clientId'
    | 'issuer'
    | 'authorizationUrl'
    | 'tokenUrl'
    | 'userinfoUrl'
    | 'jwksUrl'
    | 'scopes'
    | 'additionalParams'
    | 'icon'
    | 'buttonText'
    | 'sortOrder'
    | 'isActive'
    | 'allowedEmailDomains'
    | 'jitProvisioning'
    | 'trustsFactors'
  >
> & { readonly secret?: string }

/** Field names of the caller's wire format, for error responses. */
export type ConnectionFields = Readonly<Record<'name' | 'issuer' | 'secret' | 'clientId' | 'domains' | 'parameters', string>>

/** Names that identify other kinds of sign-in. */
const RESERVED: ReadonlySet<string> = new Set(['authsec', 'email', 'local', 'custom', 'scim', 'ad-sync', 'entra-id', 'internal', 'saml'])
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Normalises a provider name: lower case, with hyphens. */
export const providerNameOf = (typed: string): string =>
  typed
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-')

const refuse = (field: string, why: string): never => {
  throw new AppError('invalid_request', `${field}: ${why}`, { field })
}

/** Parameters that the protocol sets; a tenant must not override them (RFC 6749 section 4.1.1, RFC 7636, RFC 9101, OpenID Connect Core section 3.1.2.1). */
const PROTOCOL_PARAMETERS: ReadonlySet<string> = new Set(
  'client_id redirect_uri response_type response_mode scope state nonce code_challenge code_challenge_method request request_uri client_secret claims dpop_jkt'.split(
    ' ',
  ),
)

const requireParameters = (input: ConnectionInput, { parameters }: ConnectionFields): void => {
  for (const name of Object.keys(input.additionalParams ?? {})) {
    if (PROTOCOL_PARAMETERS.has(name.toLowerCase())) refuse(`${parameters}.${name}`, 'is set by the protocol')
  }
}

/** The address that receives the client secret. Changing it could send the secret to another server. */
const peerAddressOf = ({ issuer, authorizationUrl }: Pick<Provider, 'issuer' | 'authorizationUrl'>): string => issuer ?? authorizationUrl

/** @throws AppError invalid_request for a provider that cannot authenticate people */
const requireUsable = (ctx: Pick<Ctx, 'outbound'>, row: Provider, fields: ConnectionFields): void => {
  const upstream = upstreamOf({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  if (upstream === undefined) refuse(fields.issuer, 'is required, because it identifies the provider')
  for (const url of [row.issuer ?? '', row.authorizationUrl, row.tokenUrl, row.userinfoUrl, row.jwksUrl]) {
    if (url !== '' && typeof checkOutboundUrl(url, ctx.outbound) === 'string')
      refuse(fields.issuer, 'must be https, with a public host name and a usual port')
  }
  if (row.isActive && row.clientId === '') refuse(fields.clientId, 'is required for an active provider')
  if (row.jitProvisioning && row.allowedEmailDomains.length === 0) refuse(fields.domains, 'must list the domains whose people get an account')
}

/** Trusted with second factors, by its own row or by the tenant's settings. */
const isTrusted = async (t: TenantTx, row: Pick<Provider, 'id' | 'trustsFactors'>): Promise<boolean> =>
  row.trustsFactors || (await findTenant(t))?.settings.trustFactorsOf?.includes(row.id) === true

/**
 * A trusted provider can stand for the second factor of everyone in the tenant, administrators included, so trusting one needs the whole administrator role, and
 * so does pointing a trusted one elsewhere. A platform administrator in another tenant acts with the system role.
 * @throws AppError cannot_grant
 */
const requireTrust = async (t: TenantTx, ctx: Ctx, caller: User, before: Provider | undefined, next: Provider): Promise<void> => {
  const isSame = before !== undefined && peerAddressOf(before) === peerAddressOf(next) && before.clientId === next.clientId
  if (isSame && (before.trustsFactors || !next.trustsFactors)) return
  if (await isTrusted(t, next)) requireFullRole(await grantableIn(t, ctx, caller), 'trust a provider with second factors')
}

/** Members for the audit log, without the secret and with the addresses that identify the provider. */
export const providerAuditDetails = (row: Provider): Readonly<Record<string, unknown>> => ({
  provider_name: row.providerName,
  display_name: row.displayName,
  issuer: row.issuer,
  authorization_url: row.authorizationUrl,
  client_id: row.clientId,
  has_secret: row.sealedClientSecret !== null,
  scopes: row.scopes,
  parameters: row.additionalParams,
  is_active: row.isActive,
  order: row.sortOrder,
  allowed_email_domains: row.allowedEmailDomains,
  jit_provisioning: row.jitProvisioning,
  trusts_factors: row.trustsFactors,
})

const target = (id: string) => ({ type: 'oidc_provider', id })

const sealSecret = (t: TenantTx, ctx: Ctx, id: string, secret: string | undefined): Promise<Uint8Array> | undefined =>
  secret === undefined ? undefined : ctx.keyring.seal(t, t.tenantId, secret, providerSecretContext(id))

/** @throws AppError invalid_request, provider_exists, provider_limit, cannot_grant */
export const addConnection = async (
  t: TenantTx,
  ctx: Ctx,
  caller: User,
  typed: string,
  input: ConnectionInput,
  fields: ConnectionFields,
): Promise<Provider> => {
  const [id, at, providerName] = [ctx.random.id(), ctx.clock.now(), providerNameOf(typed)]
  if (!NAME.test(providerName) || RESERVED.has(providerName)) refuse(fields.name, 'is not a valid provider name')
  requireParameters(input, fields)
  const { secret, ...members } = input
  const row: Provider = {
    tenantId: t.tenantId,
    id,
    providerName,
    displayName: typed.trim(),
    clientId: '',
    issuer: null,
    authorizationUrl: '',
    tokenUrl: '',
    userinfoUrl: '',
    jwksUrl: '',
    scopes: 'openid email profile',
    additionalParams: {},
    iconUrl: null,
    icon: null,
    buttonText: null,
    sortOrder: DEFAULT_PROVIDER_ORDER,
    isActive: true,
    allowedEmailDomains: [],
    jitProvisioning: false,
    trustsFactors: false,
    ...members,
    sealedClientSecret: (await sealSecret(t, ctx, id, secret)) ?? null,
    createdAt: at,
    updatedAt: at,
  }
  requireUsable(ctx, row, fields)
  await requireTrust(t, ctx, caller, undefined, row)
  if ((await listProviders(t)).length >= MAX_PROVIDERS) throw new AppError('provider_limit')
  if (!(await insertProvider(t, row))) throw new AppError('provider_exists', undefined, { field: fields.name })
  await recordEvent(t, ctx, { event: 'oidc_provider.created', actor: byUser(caller), target: target(id), after: providerAuditDetails(row) })
  return row
}

/** Changes a provider that the transaction has locked. @throws AppError invalid_request, cannot_grant */
export const changeConnection = async (
  t: TenantTx,
  ctx: Ctx,
  caller: User,
  row: Provider,
  input: ConnectionInput,
  fields: ConnectionFields,
): Promise<Provider> => {
  requireParameters(input, fields)
  const { secret, ...members } = input
  const newSecret = await sealSecret(t, ctx, row.id, secret)
  const set: Partial<NewProvider> = { ...members, ...(newSecret === undefined ? {} : { sealedClientSecret: newSecret }), updatedAt: ctx.clock.now() }
  const next: Provider = { ...row, ...set } as Provider
  requireUsable(ctx, next, fields)
  await requireTrust(t, ctx, caller, row, next)
  if (peerAddressOf(next) !== peerAddressOf(row) && row.sealedClientSecret !== null && newSecret === undefined)
    refuse(fields.secret, 'must be sent again, because a secret is sent only to the provider it was entered for')
  await updateProvider(t, row.id, set)
  await recordEvent(t, ctx, {
    event: 'oidc_provider.updated',
    actor: byUser(caller),
    target: target(row.id),
    before: providerAuditDetails(row),
    after: { ...providerAuditDetails(next), secret_replaced: newSecret !== undefined },
  })
  return next
}

/** Deletes the provider. Identities from it stay with their people and can no longer sign in. */
export const removeConnection = async (t: TenantTx, ctx: Ctx, caller: User, row: Provider): Promise<void> => {
  await deleteProvider(t, row.id)
  await recordEvent(t, ctx, { event: 'oidc_provider.deleted', actor: byUser(caller), target: target(row.id), before: providerAuditDetails(row) })
}
