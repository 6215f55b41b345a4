// Dynamic client registration (RFC 7591), and its management with the registration access token (RFC 7592).

import type * as z from 'zod'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Client, deleteClient, findClient, findClientCredentials, insertClient, lockClient } from '#db/store/clients'
import { hasSubdelegations } from '#db/store/oauth-delegations'
import { spendRegistrationToken } from '#db/store/registered-clients'
import { findServerByIdentifier } from '#db/store/resource-servers'
import { findTenant, hasCompany, listTenantIds, releaseQuota } from '#db/store/tenants'
import { changeClientIdentity } from '#shared/domains/clients/change-identity'
import { isClientSecret } from '#shared/domains/clients/client-secret'
import { ENDPOINTS } from '#shared/domains/oauth/supported'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { splitHandle } from '#shared/kernel/ids'
import { randomToken } from '#shared/kernel/random'
import { byAnonymous, byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { requireNoWider, validateMetadata } from './client-metadata.ts'
import type { Ctx } from './group.ts'
import { acceptsSelfRegistered } from './open-registration.ts'
import type { RegisterBody, RegisteredClient, UpdateBody } from './register.schema.ts'
import { INVITED_CLIENT_SECONDS, limitOpenRegistration, requireRegistrationQuota, UNUSED_CLIENT_SECONDS } from './registration-limits.ts'
import { tenantOfResource } from './resource-tenant.ts'
import { canonicalResource } from './scopes.ts'

type Presented = z.input<typeof RegisteredClient>

const bearerOf = (ctx: Ctx): string | undefined => {
  const [scheme, token, ...more] = (ctx.request.header('authorization') ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' && token !== undefined && token !== '' && more.length === 0 ? token : undefined
}

export const registeredClientResponse = (ctx: Pick<Ctx, 'config'>, row: Client): Presented => ({
  client_id: row.id,
  client_id_issued_at: unixSeconds(row.createdAt),
  registration_client_uri: `${ctx.config.BASE_URL}${ENDPOINTS.registration}/${row.id}`,
  client_name: row.name,
  ...(row.clientUri === null ? {} : { client_uri: row.clientUri }),
  redirect_uris: row.redirectUris,
  grant_types: row.grantTypes,
  response_types: row.grantTypes.includes('authorization_code') ? ['code'] : [],
  ...(row.responseModes.length === 0 ? {} : { response_modes: row.responseModes }),
  token_endpoint_auth_method: row.isPublic ? 'none' : (row.tokenEndpointAuthMethod ?? 'client_secret_basic'),
  ...(row.allowedScopes === null ? {} : { scope: row.allowedScopes.join(' ') }),
  ...(row.jwks === null ? {} : { jwks: row.jwks }),
  ...(row.jwksUri === null ? {} : { jwks_uri: row.jwksUri }),
  post_logout_redirect_uris: row.postLogoutRedirectUris,
  ...(row.backchannelLogoutUri === null ? {} : { backchannel_logout_uri: row.backchannelLogoutUri }),
  backchannel_logout_session_required: row.backchannelLogoutSessionRequired,
  dpop_bound_access_tokens: row.dpopBound,
  require_pushed_authorization_requests: row.requiresPar,
  ...(row.softwareId === null ? {} : { software_id: row.softwareId }),
  ...(row.softwareVersion === null ? {} : { software_version: row.softwareVersion }),
  ...(row.platform === null ? {} : { client_kind: row.platform }),
  ...(row.reviewedRedirectUris === null ? {} : { redirect_review_pending: true }),
})

/**
 * The company of the client: that of the initial access token, that of the named resource, or the only one there is. Otherwise none until the client requests
 * a company's resource.
 */
const ownerOf = async (ctx: Ctx, initial: string | undefined, resource: string | undefined): Promise<TenantId> => {
  const named = initial === undefined ? undefined : splitHandle(initial)?.id
  if (initial !== undefined && named === undefined) throw new AppError('invalid_token')
  if (named !== undefined) return asTenantId(named)
  const d = directory(ctx.db)
  if (resource !== undefined) {
    const identifier = canonicalResource(resource)
    const owner = await tenantOfResource(ctx, identifier)
    // The company of the first person who uses the client is chosen later.
    if (owner === 'several') return SYSTEM_TENANT
    const server = owner === undefined ? undefined : await findServerByIdentifier(forTenant(ctx.db, owner), identifier)
    if (owner === undefined || !server?.active) throw new AppError('invalid_target')
    // Refused at registration, not later when a person is already at the authorization endpoint.
    if (!acceptsSelfRegistered(server, 'dcr')) {
      throw new AppError('registration_refused', 'The resource accepts only clients that an administrator registered.')
    }
    return owner
  }
  if (ctx.config.TENANCY !== 'single' || !(await hasCompany(d, SYSTEM_TENANT))) return SYSTEM_TENANT
  const companies = (await listTenantIds(d, undefined, 2)).filter(({ tenantId }) => tenantId !== SYSTEM_TENANT)
  return companies[0]?.tenantId ?? SYSTEM_TENANT
}

/** Applies the tenant's registration policy. @throws AppError registration_refused, invalid_token */
const requireRegistrationAllowed = async (t: TenantTx, ctx: Ctx, initial: string | undefined): Promise<void> => {
  const tenant = await findTenant(t)
  const policy = tenant?.settings.clientRegistration ?? 'open'
  if (tenant?.status !== 'active' || policy === 'closed') throw new AppError('registration_refused')
  if (initial !== undefined) {
    if ((await spendRegistrationToken(t, sha256(initial), ctx.clock.now())) === undefined) throw new AppError('invalid_token')
    return
  }
  if (policy === 'token') throw new AppError('unauthorized', 'An initial access token is needed (RFC 7591 section 3).')
  await requireRegistrationQuota(t, ctx.clock.now())
}

/** @throws AppError invalid_redirect_uri, invalid_client_metadata, invalid_target, invalid_token, registration_refused, quota_exceeded, rate_limited */
export const register = async (ctx: Ctx, submitted: z.output<typeof RegisterBody>): Promise<Presented> => {
  await limitOpenRegistration(ctx)
  const initial = bearerOf(ctx)
  const client = validateMetadata(ctx, submitted, initial !== undefined)
  const tenantId = await ownerOf(ctx, initial, submitted.resource)
  const [id, at, secret] = [ctx.random.id(), ctx.clock.now(), randomToken(ctx.random)]
  const registrationToken = `${id}.${randomToken(ctx.random)}`
  const hasSecret = client.isPublic === false && client.tokenEndpointAuthMethod !== 'private_key_jwt'
  const row = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await requireRegistrationAllowed(t, ctx, initial)
    await insertClient(t, {
      ...client,
      id,
      registeredBy: 'dynamic',
      registrationTokenHash: sha256(registrationToken),
      unusedUntil: secondsAfter(at, initial === undefined ? UNUSED_CLIENT_SECONDS : INVITED_CLIENT_SECONDS),
      ...(hasSecret ? { secretHash: sha256(secret) } : {}),
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    const target = { type: 'client', id }
    const after = { name: client.name, redirect_uris: client.redirectUris, with_initial_access_token: initial !== undefined }
    await recordEvent(t, ctx, { event: 'client.registered', actor: byAnonymous, target, after })
    return findClient(t, id)
  })
  if (row === undefined) throw new AppError('internal')
  return {
    ...registeredClientResponse(ctx, row),
    ...(hasSecret ? { client_secret: secret, client_secret_expires_at: 0 } : {}),
    ...(submitted.resource === undefined ? {} : { resource: submitted.resource }),
    registration_access_token: registrationToken,
  }
}

type Managed = { readonly tenantId: TenantId; readonly row: Client; readonly secretHash: Uint8Array | null }

/**
 * The client of the registration access token. An unknown client gets the same error (RFC 7592 section 2.1). @throws AppError invalid_token, unauthorized
 */
export const managedClient = async (ctx: Ctx, clientId: string): Promise<Managed> => {
  const token = bearerOf(ctx)
  if (token === undefined) throw new AppError('unauthorized')
  const entry = await findClientCredentials(directory(ctx.db), clientId)
  const row = entry === undefined ? undefined : await findClient(forTenant(ctx.db, entry.tenantId), clientId)
  const isTokenOfClient = row?.registrationTokenHash && constantTimeEqual(sha256(token), new Uint8Array(row.registrationTokenHash))
  if (entry === undefined || row === undefined || !isTokenOfClient || !row.active || row.deletedAt !== null || row.registeredBy !== 'dynamic') {
    throw new AppError('invalid_token')
  }
  return { tenantId: entry.tenantId, row, secretHash: entry.secretHash }
}

/** The client of the registration access token in the request. @throws AppError invalid_token, unauthorized */
export const clientOfToken = async (ctx: Ctx): Promise<{ readonly tenantId: TenantId; readonly clientId: string }> => {
  const clientId = splitHandle(bearerOf(ctx))?.id
  if (clientId === undefined) throw new AppError(bearerOf(ctx) === undefined ? 'unauthorized' : 'invalid_token')
  return { tenantId: (await managedClient(ctx, clientId)).tenantId, clientId }
}

/** RFC 7592 section 3 requires the token in every response. Only its hash is stored, so the response repeats the presented one. */
const withPresentedToken = (ctx: Ctx, row: Client): Presented => {
  const token = bearerOf(ctx)
  return { ...registeredClientResponse(ctx, row), ...(token === undefined ? {} : { registration_access_token: token }) }
}

/** @throws AppError invalid_token, unauthorized */
export const readOwnRegistration = async (ctx: Ctx, clientId: string): Promise<Presented> =>
  withPresentedToken(ctx, (await managedClient(ctx, clientId)).row)

/** People consented to the redirect URIs, so new ones of a client in use wait for an administrator. Removed ones are removed at once. */
const redirectsAfter = (before: Client, wanted: readonly string[]) => {
  if (before.unusedUntil !== null) return { redirectUris: [...wanted], reviewedRedirectUris: null }
  const unchanged = wanted.filter((uri) => before.redirectUris.includes(uri))
  return unchanged.length === wanted.length
    ? { redirectUris: unchanged, reviewedRedirectUris: null }
    : { redirectUris: unchanged, reviewedRedirectUris: [...wanted] }
}

/** A confidential client must not become public, or the reverse. @throws AppError invalid_client_metadata */
const requireSameKind = (row: Client, changed: { readonly isPublic?: boolean | undefined }): void => {
  if (changed.isPublic !== row.isPublic) {
    const field = 'body.token_endpoint_auth_method'
    throw new AppError('invalid_client_metadata', 'token_endpoint_auth_method: a public client stays public, and any other proves itself', { field })
  }
}

/** Changed redirect URIs, keys or authentication end the consents to the client. @throws AppError invalid_token, unauthorized, invalid_redirect_uri, invalid_client_metadata */
export const updateOwnRegistration = async (ctx: Ctx, clientId: string, submitted: z.output<typeof UpdateBody>): Promise<Presented> => {
  const { tenantId, secretHash } = await managedClient(ctx, clientId)
  if (submitted.client_id !== clientId) throw new AppError('invalid_client_metadata', 'client_id is not this client.', { field: 'body.client_id' })
  const isSecret = submitted.client_secret === undefined || isClientSecret(submitted.client_secret, { secretHash }, ctx.clock.now())
  if (!isSecret) throw new AppError('invalid_client_metadata', 'client_secret is not this client\u2019s.', { field: 'body.client_secret' })
  const changed = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockClient(t, clientId)
    if (row === undefined) throw new AppError('invalid_token')
    const wanted = validateMetadata(
      ctx,
      submitted,
      row.grantTypes.some((grant) => grant.includes('ciba')),
    )
    requireSameKind(row, wanted)
    const redirects = redirectsAfter(row, wanted.redirectUris ?? [])
    const by = { actor: byClient(clientId), name: row.name }
    const updated = await changeClientIdentity(t, ctx, by, row, {
      ...requireNoWider(row, wanted),
      ...redirects,
      fetchedJwks: null,
      jwksFetchedAt: null,
      updatedAt: ctx.clock.now(),
    })
    if (updated === undefined) throw new AppError('invalid_token')
    const [before, after] = [registeredClientResponse(ctx, row), registeredClientResponse(ctx, updated)]
    const target = { type: 'client', id: clientId }
    await recordEvent(t, ctx, { event: 'client.registration_changed', actor: by.actor, target, before: { ...before }, after: { ...after } })
    return updated
  })
  ctx.wakeOutbox()
  return withPresentedToken(ctx, changed)
}

/** Deletes the client with all consents and tokens. @throws AppError invalid_token, unauthorized */
export const deleteOwnRegistration = async (ctx: Ctx, clientId: string): Promise<undefined> => {
  const { tenantId } = await managedClient(ctx, clientId)
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await lockClient(t, clientId)
    // Read before the deletion, which removes the link to later delegation steps.
    const hadSteps = await hasSubdelegations(t, clientId, ctx.clock.now())
    if (row === undefined || !(await deleteClient(t, clientId))) throw new AppError('invalid_token')
    if (row.unusedUntil === null) await releaseQuota(t, 'clients')
    const about = { actor: byClient(clientId), target: { type: 'client', id: clientId } }
    await recordEvent(t, ctx, { event: 'client.unregistered', ...about, before: { name: row.name } })
    if (hadSteps) await recordEvent(t, ctx, { event: 'oauth.chain_ended', ...about })
  })
  return undefined
}
