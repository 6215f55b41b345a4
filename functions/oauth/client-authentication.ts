// Who the client is, and how it proves that (RFC 6749 section 2.3, RFC 7523). One way a request, and the one that the client is registered for.
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
/** Of one address in a minute, over all clients. */
const MOST_FAILURES = 60

/** The parameters that say who calls. */
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

const refuseTwo = (form: ClientForm, basic: boolean): void => {
  const ways = [basic, form.client_secret !== undefined, form.client_assertion !== undefined || form.client_assertion_type !== undefined]
  if (ways.filter(Boolean).length > 1) throw new AppError('invalid_request', 'A client authenticates in one way (RFC 6749 section 2.3).')
}

/** The client id that an assertion claims, before its signature is checked. */
const claimedClient = (assertion: string): string | undefined => {
  const { iss, sub } = unverifiedClaims(assertion)
  return iss === sub ? iss : undefined
}

const shownAssertion = (form: ClientForm): Presented => {
  const { client_assertion: proof = '', client_assertion_type: type, client_id: named } = form
  if (type !== ASSERTION_TYPE) throw new AppError('invalid_request', 'This client_assertion_type is not offered.')
  const clientId = claimedClient(proof)
  if (clientId === undefined || (named !== undefined && named !== clientId)) throw clientAuthenticationFailed()
  return { method: 'private_key_jwt', clientId, proof }
}

/** @throws AppError invalid_request, client_authentication_failed */
const shownBy = (request: Ctx['request'], form: ClientForm): Presented => {
  const basic = usesBasicAuth(request)
  refuseTwo(form, basic)
  if (basic) {
    const presented = basicCredentials(request)
    if (presented instanceof AppError) throw presented
    if (form.client_id !== undefined && form.client_id !== presented.clientId) throw clientAuthenticationFailed()
    return { method: 'client_secret_basic', clientId: presented.clientId, proof: presented.secret }
  }
  if (form.client_assertion !== undefined || form.client_assertion_type !== undefined) return shownAssertion(form)
  if (form.client_id === undefined) throw clientAuthenticationFailed()
  if (form.client_secret === undefined) return { method: 'none', clientId: form.client_id, proof: '' }
  return { method: 'client_secret_post', clientId: form.client_id, proof: form.client_secret }
}

const KEPT = 100_000
/** A company's client never changes its tenant, so the result of the look-up is cached. */
const tenantsOf = new WeakMap<Engine, Map<string, TenantId>>()

const tenantOf = async (ctx: Pick<Ctx, 'db'>, clientId: string): Promise<TenantId | undefined> => {
  const known = tenantsOf.get(ctx.db.engine) ?? new Map<string, TenantId>()
  tenantsOf.set(ctx.db.engine, known)
  const tenantId = known.get(clientId) ?? (await findTenantOfClient(directory(ctx.db), clientId))
  // A client in the system tenant moves to the company whose resource it requests.
  if (tenantId === undefined || tenantId === SYSTEM_TENANT || known.has(clientId)) return tenantId
  if (known.size >= KEPT) known.clear()
  known.set(clientId, tenantId)
  return tenantId
}

const clientsOf = new WeakMap<Db, TtlCache<OauthClient>>()
const clientMemory = (ctx: Pick<Ctx, 'db' | 'clock'>): TtlCache<OauthClient> => {
  const known = clientsOf.get(ctx.db) ?? createTtlCache<OauthClient>(ctx)
  clientsOf.set(ctx.db, known)
  return known
}

type Find = () => Promise<OauthClient | undefined>
/** At most a second old. A client in the system tenant may move at any time, and is always read. */
const clientIn = (
  ctx: Pick<Ctx, 'db' | 'clock'>,
  { tenantId, id }: Place,
  resource: string | undefined,
  find?: Find,
): Promise<OauthClient | undefined> => {
  const ask = find ?? (() => findOauthClient(forTenant(ctx.db, tenantId), id, resource, ctx.clock.now()))
  return tenantId === SYSTEM_TENANT ? ask() : clientMemory(ctx).get(`${tenantId} ${id} ${resource ?? ''}`, ask)
}

type Place = { readonly tenantId: TenantId; readonly id: string }
/** A client whose id is the URL of its metadata has a row in each company that it was registered at. */
const findByAddress = async (ctx: Pick<Ctx, 'db' | 'clock'>, url: string, resource: string | undefined, inTenant: TenantId | undefined) => {
  // Loaded for the first such client.
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

/** It goes by the one name that it has on the wire. */
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

type Asked = { readonly clientId: string; readonly resource: string | undefined; readonly now: Date }
/** Reads the client, and something else in the same statement. */
export type ReadWithClient<T> = (t: TenantDb, request: Asked) => Promise<{ readonly client: OauthClient; readonly beside: T } | undefined>

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

/** By the id of its row, which rows of ours name it by. */
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

/** The way that the client is registered for; a client with a secret that names none may show it either way. */
const mayUse = (client: OauthClient, method: ClientAuthMethod): boolean => {
  if (client.isPublic) return method === 'none'
  if (client.authMethod === undefined) return method === 'client_secret_basic' || method === 'client_secret_post'
  return method === client.authMethod && method !== 'none'
}

const isProved = async (ctx: Ctx, client: OauthClient, { method, proof }: Presented): Promise<boolean> => {
  if (!mayUse(client, method)) return false
  if (method === 'none') return true
  if (method !== 'private_key_jwt') return isClientSecret(proof, client, ctx.clock.now())
  // Loaded with the first: most clients have a secret, or nothing to prove.
  return (await import('./client-assertion.ts')).isAssertionOf(ctx, client, proof)
}

/** Secrets are too long to guess; this limits the work that unauthenticated requests cause. */
const refused = async (ctx: Ctx, client: OauthClient | undefined): Promise<AppError> => {
  const key = `oauth-client-failed:${addressKey(ctx, ctx.request.address)}`
  await ctx.limits.check([{ key, windowSeconds: 60, max: MOST_FAILURES, guardsCredential: true }, anonymousLimitEntry(ctx, ctx.request)])
  const { details, message } = clientAuthenticationFailed()
  if (client === undefined) return new AppError('client_authentication_failed', message, details)
  const refusal = { tenantId: client.tenantId, clientId: client.clientId, event: 'oauth.tokens_issued' }
  return new AppError('client_authentication_failed', message, { ...details, refusal })
}

/** All clients of a company may share one address, so an authenticated client has its own limit; unauthenticated requests share that of the address. */
const MOST_OF_CLIENT = 6000
const budgetOf = (ctx: Ctx, client: OauthClient): readonly LimitEntry[] =>
  client.isPublic
    ? [anonymousLimitEntry(ctx, ctx.request)]
    : [{ key: `oauth-client:${client.clientId}`, windowSeconds: 60, max: MOST_OF_CLIENT, guardsCredential: false }]

const proved = async (ctx: Ctx, client: OauthClient | undefined, presented: Presented): Promise<OauthClient> => {
  if (client === undefined || !(await isProved(ctx, client, presented))) throw await refused(ctx, client)
  ctx.quotas.learn(client.tenantId, client.quotas)
  await ctx.limits.check([ctx.quotas.entry(client.tenantId, 'requestsPerMinute'), ...budgetOf(ctx, client)])
  return client
}

/**
 * The client that calls, proved.
 * @throws AppError invalid_request, client_authentication_failed, quota_exceeded, rate_limited
 */
export const authenticateClient = async (ctx: Ctx, form: ClientForm, inTenant = tenantIn(form)): Promise<OauthClient> => {
  const presented = shownBy(ctx.request, form)
  return proved(ctx, await findClientById(ctx, presented.clientId, form.resource, inTenant), presented)
}

/** As `authenticateClient`, with something else that is read in the same statement as the client. */
export const authenticateClientWith = async <T>(ctx: Ctx, form: ClientForm, read: ReadWithClient<T>) => {
  const presented = shownBy(ctx.request, form)
  const found = await findClientWith(ctx, { clientId: presented.clientId, resource: form.resource, inTenant: tenantIn(form) }, read)
  return { client: await proved(ctx, found?.client, presented), beside: found?.beside }
}
