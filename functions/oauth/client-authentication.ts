// Client authentication (RFC 6749 section 2.3, RFC 7523). A request uses one method, and it must be the one that the client is registered for.
import type { Db, Engine } from '#db/engine/client'
import { asTenantId, directory, forTenant, SYSTEM_TENANT, type TenantDb, type TenantId } from '#db/engine/tenant'
import { type ClientAuthMethod, findOauthClient, findTenantOfClient, type OauthClient } from '#db/store/oauth-clients'
import { isClientSecret } from '#shared/domains/clients/client-secret'
import { AppError } from '#shared/kernel/errors'
import { handleId, isUuid } from '#shared/kernel/ids'
import { createTtlCache, type TtlCache } from '#shared/platform/cache/ttl-cache'
import { sha256 } from '#shared/platform/crypto/sha256'
import { basicCredentials, clientAuthenticationFailed, usesBasicAuth } from '#shared/platform/http/basic-auth'
import { addressKey, anonymousLimitEntry } from '#shared/platform/http/guard'
import type { LimitEntry } from '#shared/platform/http/limits'
import { unverifiedClaims } from '#shared/platform/tokens/unverified-claims'
import type { Ctx } from './group.ts'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Failures of one network address in a minute, over all clients. */
const MOST_FAILURES = 60

/** The parameters that identify the calling client. */
export type ClientForm = {
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
  readonly client_assertion?: string | undefined
  readonly client_assertion_type?: string | undefined
  readonly resource?: string | undefined
  readonly code?: string | undefined
  readonly refresh_token?: string | undefined
  readonly token?: string | undefined
}
type Presented = { readonly method: ClientAuthMethod; readonly clientId: string; readonly proof: string }

const requireOneMethod = (form: ClientForm, basic: boolean): void => {
  const methods = [basic, form.client_secret !== undefined, form.client_assertion !== undefined || form.client_assertion_type !== undefined]
  if (methods.filter(Boolean).length > 1) throw new AppError('invalid_request', 'A client authenticates in one way (RFC 6749 section 2.3).')
}

/** The client id that an assertion claims, before its signature is checked. */
const claimedClient = (assertion: string): string | undefined => {
  const { iss, sub } = unverifiedClaims(assertion)
  return typeof iss === 'string' && iss === sub ? iss : undefined
}

const presentedAssertion = (form: ClientForm): Presented => {
  const { client_assertion: proof = '', client_assertion_type: type, client_id: named } = form
  if (type !== ASSERTION_TYPE) throw new AppError('invalid_request', 'This client_assertion_type is not offered.')
  const clientId = claimedClient(proof)
  if (clientId === undefined || (named !== undefined && named !== clientId)) throw clientAuthenticationFailed()
  return { method: 'private_key_jwt', clientId, proof }
}

/** @throws AppError invalid_request, client_authentication_failed */
const presentedBy = (request: Ctx['request'], form: ClientForm): Presented => {
  const basic = usesBasicAuth(request)
  requireOneMethod(form, basic)
  if (basic) {
    const presented = basicCredentials(request)
    if (presented instanceof AppError) throw presented
    if (form.client_id !== undefined && form.client_id !== presented.clientId) throw clientAuthenticationFailed()
    return { method: 'client_secret_basic', clientId: presented.clientId, proof: presented.secret }
  }
  if (form.client_assertion !== undefined || form.client_assertion_type !== undefined) return presentedAssertion(form)
  if (form.client_id === undefined) throw clientAuthenticationFailed()
  if (form.client_secret === undefined) return { method: 'none', clientId: form.client_id, proof: '' }
  return { method: 'client_secret_post', clientId: form.client_id, proof: form.client_secret }
}

const MAX_CACHED_TENANTS = 100_000
/** A company's client never changes its tenant, so the result of the look-up is cached. */
const tenantsOf = new WeakMap<Engine, Map<string, TenantId>>()

const tenantOf = async (ctx: Pick<Ctx, 'db'>, clientId: string): Promise<TenantId | undefined> => {
  const known = tenantsOf.get(ctx.db.engine) ?? new Map<string, TenantId>()
  tenantsOf.set(ctx.db.engine, known)
  const tenantId = known.get(clientId) ?? (await findTenantOfClient(directory(ctx.db), clientId))
  // A client in the system tenant moves to the company whose resource it requests.
  if (tenantId === undefined || tenantId === SYSTEM_TENANT || known.has(clientId)) return tenantId
  if (known.size >= MAX_CACHED_TENANTS) known.clear()
  known.set(clientId, tenantId)
  return tenantId
}

const clientsOf = new WeakMap<Db, TtlCache<OauthClient>>()
const clientCache = (ctx: Pick<Ctx, 'db' | 'clock'>): TtlCache<OauthClient> => {
  const known = clientsOf.get(ctx.db) ?? createTtlCache<OauthClient>(ctx)
  clientsOf.set(ctx.db, known)
  return known
}

type Find = () => Promise<OauthClient | undefined>
/** The cached client is at most a second old. A client in the system tenant may move to a company at any time, so it is always read. */
const clientIn = (
  ctx: Pick<Ctx, 'db' | 'clock'>,
  { tenantId, id }: Place,
  resource: string | undefined,
  find?: Find,
): Promise<OauthClient | undefined> => {
  const read = find ?? (() => findOauthClient(forTenant(ctx.db, tenantId), id, resource, ctx.clock.now()))
  return tenantId === SYSTEM_TENANT ? read() : clientCache(ctx).get(`${tenantId} ${id} ${resource ?? ''}`, read)
}

type Place = { readonly tenantId: TenantId; readonly id: string }
/** A client whose id is the URL of its metadata has a row in each company that it was registered at. */
const findByAddress = async (ctx: Pick<Ctx, 'db' | 'clock'>, url: string, resource: string | undefined, inTenant: TenantId | undefined) => {
  // Loaded with the first such client.
  const [{ findMetadataClient }, { findTenantOfResource }] = await Promise.all([
    import('#db/store/registered-clients'),
    import('#db/store/resource-servers'),
  ])
  const tenantId = inTenant ?? (resource === undefined ? undefined : await findTenantOfResource(directory(ctx.db), sha256(resource)))
  const row = tenantId === undefined ? undefined : await findMetadataClient(forTenant(ctx.db, tenantId), url)
  return row === undefined ? undefined : { tenantId: asTenantId(row.tenantId), id: row.id }
}

const placeOf = async (
  ctx: Pick<Ctx, 'db' | 'clock'>,
  clientId: string,
  resource: string | undefined,
  inTenant: TenantId | undefined,
): Promise<Place | undefined> => {
  if (clientId.startsWith('https:') || clientId.startsWith('http:')) return findByAddress(ctx, clientId, resource, inTenant)
  const tenantId = isUuid(clientId) ? await tenantOf(ctx, clientId) : undefined
  return tenantId && { tenantId, id: clientId }
}

/** A client is found only by its id on the wire. */
const isUsable = (found: OauthClient | undefined, clientId: string): found is OauthClient => found?.active === true && found.publicId === clientId

/**
 * An active client of an active tenant, and the resource server of the request; the client is not authenticated yet. `inTenant` is given where a code, a
 * refresh token or the session already names the tenant.
 */
export const findClientById = async (
  ctx: Pick<Ctx, 'db' | 'clock'>,
  clientId: string,
  resource?: string,
  inTenant?: TenantId,
): Promise<OauthClient | undefined> => {
  const place = await placeOf(ctx, clientId, resource, inTenant)
  const found = place && (await clientIn(ctx, place, resource))
  return isUsable(found, clientId) ? found : undefined
}

type ClientRequest = { readonly clientId: string; readonly resource: string | undefined; readonly now: Date }
/** Reads the client and other rows (`beside`) in the same statement. */
export type ReadWithClient<T> = (t: TenantDb, request: ClientRequest) => Promise<{ readonly client: OauthClient; readonly beside: T } | undefined>

/** As `findClientById`. Where the client is cached nothing is read, and `beside` is undefined. */
export const findClientWith = async <T>(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  { clientId, resource, inTenant }: { readonly clientId: string; readonly resource: string | undefined; readonly inTenant: TenantId | undefined },
  read: ReadWithClient<T>,
): Promise<{ readonly client: OauthClient; readonly beside: T | undefined } | undefined> => {
  const place = await placeOf(ctx, clientId, resource, inTenant)
  if (place === undefined) return undefined
  let beside: T | undefined
  const found = await clientIn(ctx, place, resource, async () => {
    const both = await read(forTenant(ctx.db, place.tenantId), { clientId: place.id, resource, now: ctx.clock.now() })
    beside = both?.beside
    return both?.client
  })
  return isUsable(found, clientId) ? { client: found, beside } : undefined
}

/** Finds a client by the id of its row, to which other rows refer. */
export const findClientByRowId = async (
  ctx: Pick<Ctx, 'db' | 'clock'>,
  tenantId: TenantId,
  id: string,
  resource: string | undefined,
): Promise<OauthClient | undefined> => {
  const found = await clientIn(ctx, { tenantId, id }, resource)
  return found?.active === true ? found : undefined
}

const claimedTenant = (token: string | undefined): string | undefined => {
  const id = unverifiedClaims(token).tenant_id
  return isUuid(id) ? id : undefined
}
/** The tenant that a presented code or token names. Unverified: it selects the rows to read. */
const tenantIn = ({ code, refresh_token: refresh, token }: ClientForm): TenantId | undefined => {
  const id = handleId(code ?? refresh ?? token ?? '') ?? claimedTenant(token)
  return id === undefined ? undefined : asTenantId(id)
}

/** Whether the method is the registered one. A client that registered a secret without a method may present it by either method. */
const mayUse = (client: OauthClient, method: ClientAuthMethod): boolean => {
  if (client.isPublic) return method === 'none'
  if (client.authMethod === undefined) return method === 'client_secret_basic' || method === 'client_secret_post'
  return method === client.authMethod && method !== 'none'
}

const isAuthenticated = async (ctx: Ctx, client: OauthClient, { method, proof }: Presented): Promise<boolean> => {
  if (!mayUse(client, method)) return false
  if (method === 'none') return true
  if (method !== 'private_key_jwt') return isClientSecret(proof, client, ctx.clock.now())
  // Loaded with the first assertion: most clients have a secret or are public.
  return (await import('./client-assertion.ts')).isAssertionOf(ctx, client, proof)
}

/** Secrets are too long to guess; this limits the work that unauthenticated requests cause. */
const failedAuthentication = async (ctx: Ctx, client: OauthClient | undefined): Promise<AppError> => {
  const key = `oauth-client-failed:${addressKey(ctx, ctx.request.address)}`
  await ctx.limits.check([{ key, windowSeconds: 60, max: MOST_FAILURES, guardsCredential: true }, anonymousLimitEntry(ctx, ctx.request)])
  const { details, message } = clientAuthenticationFailed()
  if (client === undefined) return new AppError('client_authentication_failed', message, details)
  const refusal = { tenantId: client.tenantId, clientId: client.clientId, event: 'oauth.tokens_issued' }
  return new AppError('client_authentication_failed', message, { ...details, refusal })
}

/** All clients of a company may share one address, so an authenticated client has its own limit; unauthenticated requests share that of the address. */
const MOST_OF_CLIENT = 6000
const limitsOf = (ctx: Ctx, client: OauthClient): readonly LimitEntry[] =>
  client.isPublic
    ? [anonymousLimitEntry(ctx, ctx.request)]
    : [{ key: `oauth-client:${client.clientId}`, windowSeconds: 60, max: MOST_OF_CLIENT, guardsCredential: false }]

const requireAuthenticated = async (ctx: Ctx, client: OauthClient | undefined, presented: Presented): Promise<OauthClient> => {
  if (client === undefined || !(await isAuthenticated(ctx, client, presented))) throw await failedAuthentication(ctx, client)
  ctx.quotas.learn(client.tenantId, client.quotas)
  await ctx.limits.check([ctx.quotas.entry(client.tenantId, 'requestsPerMinute'), ...limitsOf(ctx, client)])
  return client
}

/**
 * Authenticates the calling client.
 * @throws AppError invalid_request, client_authentication_failed, quota_exceeded, rate_limited
 */
export const authenticateClient = async (ctx: Ctx, form: ClientForm, inTenant = tenantIn(form)): Promise<OauthClient> => {
  const presented = presentedBy(ctx.request, form)
  return requireAuthenticated(ctx, await findClientById(ctx, presented.clientId, form.resource, inTenant), presented)
}

/** As `authenticateClient`, with rows that are read in the same statement as the client. */
export const authenticateClientWith = async <T>(ctx: Ctx, form: ClientForm, read: ReadWithClient<T>) => {
  const presented = presentedBy(ctx.request, form)
  const found = await findClientWith(ctx, { clientId: presented.clientId, resource: form.resource, inTenant: tenantIn(form) }, read)
  return { client: await requireAuthenticated(ctx, found?.client, presented), beside: found?.beside }
}
