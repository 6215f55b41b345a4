// A tenant's own provider: what makes it one that people can sign in with, and every change of it, whichever door it comes through. All of it runs inside the
// transaction of the change.

import type { TenantTx } from '#db/engine/tenant'
import { DEFAULT_ORDER, deleteProvider, insertProvider, listProviders, type NewProvider, type Provider, updateProvider } from '#db/store/providers'
import { grantsOf } from '#shared/domains/authority/change'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { ofRow } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { judgeUrl } from '#shared/platform/fetch/target'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const MOST_PROVIDERS = 50

/** What can be said of a provider; what is left out stays, or has its default. */
export type Given = Partial<
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

/** How the caller's own wire format calls the members that can be wrong. */
export type Fields = Readonly<Record<'name' | 'issuer' | 'secret' | 'clientId' | 'domains' | 'parameters', string>>

/** Names that stand for something else wherever people's sign-ins are told apart. */
const RESERVED: ReadonlySet<string> = new Set(['authsec', 'email', 'local', 'custom', 'scim', 'ad-sync', 'entra-id', 'internal', 'saml'])
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** As providers are named here: in lower case, with hyphens. */
export const nameOf = (typed: string): string =>
  typed
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-')

const refuse = (field: string, why: string): never => {
  throw new AppError('invalid_request', `${field}: ${why}`, { field })
}

/** What the protocol says by itself: nobody says it otherwise (RFC 6749 section 4.1.1, RFC 7636, RFC 9101, OpenID Connect Core section 3.1.2.1). */
const PROTOCOL: ReadonlySet<string> = new Set(
  'client_id redirect_uri response_type response_mode scope state nonce code_challenge code_challenge_method request request_uri client_secret claims dpop_jkt'.split(
    ' ',
  ),
)

const requireParameters = (given: Given, { parameters }: Fields): void => {
  for (const name of Object.keys(given.additionalParams ?? {})) {
    if (PROTOCOL.has(name.toLowerCase())) refuse(`${parameters}.${name}`, 'is said by the protocol')
  }
}

/** Where its answers come from. Whoever changes that could have the secret sent to a place of theirs. */
const placeOf = ({ issuer, authorizationUrl }: Pick<Provider, 'issuer' | 'authorizationUrl'>): string => issuer ?? authorizationUrl

/** @throws AppError invalid_request for what nobody could sign in with */
const requireSound = (ctx: Pick<Ctx, 'outbound'>, row: Provider, fields: Fields): void => {
  const speaks = ofRow({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  if (speaks === undefined) refuse(fields.issuer, 'is needed: of a provider without one nobody could prove who speaks')
  for (const url of [row.issuer ?? '', row.authorizationUrl, row.tokenUrl, row.userinfoUrl, row.jwksUrl]) {
    if (url !== '' && typeof judgeUrl(url, ctx.outbound) === 'string')
      refuse(fields.issuer, 'must be https, with a public host name and a usual port')
  }
  if (row.isActive && row.clientId === '') refuse(fields.clientId, 'is needed first')
  if (row.jitProvisioning && row.allowedEmailDomains.length === 0) refuse(fields.domains, 'say whose addresses get an account')
}

/**
 * Whoever believes a provider of several factors lets it stand for the second factor of everybody here, administrators too: that takes all of their rights. A
 * platform administrator in another tenant stands for its system role.
 * @throws AppError cannot_grant
 */
const requireTrust = async (t: TenantTx, ctx: Ctx, caller: User, before: Provider | undefined, next: Provider): Promise<void> => {
  const isSame = before?.trustsFactors === true && placeOf(before) === placeOf(next) && before.clientId === next.clientId
  if (!next.trustsFactors || isSame || caller.tenantId !== t.tenantId) return
  if (!(await grantsOf(t, ctx, caller)).full)
    throw new AppError('cannot_grant', 'Only who has the whole administrator role trusts a provider with second factors.')
}

/** For the record: no secret, and no address beyond where it is. */
export const told = (row: Provider): Readonly<Record<string, unknown>> => ({
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

const sealed = (t: TenantTx, ctx: Ctx, id: string, secret: string | undefined): Promise<Uint8Array> | undefined =>
  secret === undefined ? undefined : ctx.keyring.seal(t, t.tenantId, secret, providerSecretContext(id))

/** @throws AppError invalid_request, provider_exists, provider_limit, cannot_grant */
export const addConnection = async (t: TenantTx, ctx: Ctx, caller: User, typed: string, given: Given, fields: Fields): Promise<Provider> => {
  const [id, at, providerName] = [ctx.random.id(), ctx.clock.now(), nameOf(typed)]
  if (!NAME.test(providerName) || RESERVED.has(providerName)) refuse(fields.name, 'is no name that a provider can have')
  requireParameters(given, fields)
  const { secret, ...members } = given
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
    sortOrder: DEFAULT_ORDER,
    isActive: true,
    allowedEmailDomains: [],
    jitProvisioning: false,
    trustsFactors: false,
    ...members,
    sealedClientSecret: (await sealed(t, ctx, id, secret)) ?? null,
    createdAt: at,
    updatedAt: at,
  }
  requireSound(ctx, row, fields)
  await requireTrust(t, ctx, caller, undefined, row)
  if ((await listProviders(t)).length >= MOST_PROVIDERS) throw new AppError('provider_limit')
  if (!(await insertProvider(t, row))) throw new AppError('provider_exists', undefined, { field: fields.name })
  await record(t, ctx, { event: 'oidc_provider.created', actor: byUser(caller), target: target(id), after: told(row) })
  return row
}

/** Of a row that the transaction holds. @throws AppError invalid_request, cannot_grant */
export const changeConnection = async (t: TenantTx, ctx: Ctx, caller: User, row: Provider, given: Given, fields: Fields): Promise<Provider> => {
  requireParameters(given, fields)
  const { secret, ...members } = given
  const fresh = await sealed(t, ctx, row.id, secret)
  const set: Partial<NewProvider> = { ...members, ...(fresh === undefined ? {} : { sealedClientSecret: fresh }), updatedAt: ctx.clock.now() }
  const next: Provider = { ...row, ...set } as Provider
  requireSound(ctx, next, fields)
  await requireTrust(t, ctx, caller, row, next)
  if (placeOf(next) !== placeOf(row) && row.sealedClientSecret !== null && fresh === undefined)
    refuse(fields.secret, 'send it again: a secret is shown to nobody but the provider that it was written for')
  await updateProvider(t, row.id, set)
  await record(t, ctx, {
    event: 'oidc_provider.updated',
    actor: byUser(caller),
    target: target(row.id),
    before: told(row),
    after: { ...told(next), secret_replaced: fresh !== undefined },
  })
  return next
}

/** Nobody comes in through it any more; the identities that it proved stay with their people and open nothing. */
export const removeConnection = async (t: TenantTx, ctx: Ctx, caller: User, row: Provider): Promise<void> => {
  await deleteProvider(t, row.id)
  await record(t, ctx, { event: 'oidc_provider.deleted', actor: byUser(caller), target: target(row.id), before: told(row) })
}
