// A client's registration at the authorization server. Its redirect URIs and authentication decide who can act as the client, so a change needs every
// permission of the client, and ends what people allowed it.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Client, type ClientIdentityChange, findClient, lockClient } from '#db/store/clients'
import { actAsGrantor } from '#shared/domains/authority/access-change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { changeClientIdentity } from '#shared/domains/clients/change-identity'
import { requireRedirects } from '#shared/domains/clients/redirect-uri'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { Registration, RegistrationChange } from './registration.schema.ts'

type Input = z.output<typeof RegistrationChange>

const toResponse = (row: Client): z.input<typeof Registration> => ({
  client_id: row.id,
  redirect_uris: row.redirectUris,
  grant_types: row.grantTypes,
  token_endpoint_auth_method: row.isPublic ? 'none' : row.tokenEndpointAuthMethod,
  jwks: row.jwks,
  client_uri: row.clientUri,
  post_logout_redirect_uris: row.postLogoutRedirectUris,
  scope: row.allowedScopes?.join(' ') ?? null,
  dpop_bound_access_tokens: row.dpopBound,
  require_pushed_authorization_requests: row.requiresPar,
  response_modes: row.responseModes,
  jwks_uri: row.jwksUri,
  backchannel_logout_uri: row.backchannelLogoutUri,
  backchannel_logout_session_required: row.backchannelLogoutSessionRequired,
})

/** @throws AppError invalid_request when the authentication method does not suit the client */
const requireMethod = (row: Client, request: Input): void => {
  const { token_endpoint_auth_method: method = row.tokenEndpointAuthMethod } = request
  const jwks = request.jwks === undefined ? row.jwks : request.jwks
  const field = 'body.token_endpoint_auth_method'
  const refuse = (why: string): never => {
    throw new AppError('invalid_request', `${field}: ${why}`, { field })
  }
  if (method === 'none' && !row.isPublic) refuse('a confidential client must authenticate')
  if (row.isPublic && method !== null && method !== 'none') refuse('a public client cannot authenticate')
  const jwksUri = request.jwks_uri === undefined ? row.jwksUri : request.jwks_uri
  if (jwks !== null && jwksUri !== null) refuse('use either jwks or jwks_uri')
  if (method === 'private_key_jwt' && jwks === null && jwksUri === null) refuse('private_key_jwt needs jwks or jwks_uri')
}

/** The server fetches these URLs, so they must be public https addresses. @throws AppError invalid_request */
const requireReachable = (ctx: Pick<Ctx, 'config'>, request: Input): void => {
  for (const name of ['jwks_uri', 'backchannel_logout_uri'] as const) {
    const uri = request[name]
    if (typeof uri !== 'string' || typeof checkOutboundUrl(uri, { loopback: ctx.config.OUTBOUND_LOOPBACK === 'on' }) !== 'string') continue
    throw new AppError('invalid_request', `body.${name}: must be https, with a public host name and a usual port`, { field: `body.${name}` })
  }
}

const changeOf = (request: Input): ClientIdentityChange => ({
  ...(request.redirect_uris === undefined ? {} : { redirectUris: [...new Set(request.redirect_uris)] }),
  ...(request.grant_types === undefined ? {} : { grantTypes: [...new Set(request.grant_types)] }),
  ...(request.token_endpoint_auth_method === undefined ? {} : { tokenEndpointAuthMethod: request.token_endpoint_auth_method }),
  ...(request.jwks === undefined ? {} : { jwks: request.jwks }),
  ...(request.client_uri === undefined ? {} : { clientUri: request.client_uri }),
  ...(request.post_logout_redirect_uris === undefined ? {} : { postLogoutRedirectUris: request.post_logout_redirect_uris }),
  ...(request.scope === undefined ? {} : { allowedScopes: request.scope === null ? null : [...new Set(request.scope.split(' '))] }),
  ...(request.dpop_bound_access_tokens === undefined ? {} : { dpopBound: request.dpop_bound_access_tokens }),
  ...(request.response_modes === undefined ? {} : { responseModes: [...new Set(request.response_modes)] }),
  ...(request.jwks_uri === undefined ? {} : { jwksUri: request.jwks_uri, fetchedJwks: null, jwksFetchedAt: null }),
  ...(request.backchannel_logout_uri === undefined ? {} : { backchannelLogoutUri: request.backchannel_logout_uri }),
  ...(request.backchannel_logout_session_required === undefined
    ? {}
    : { backchannelLogoutSessionRequired: request.backchannel_logout_session_required }),
  ...(request.require_pushed_authorization_requests === undefined ? {} : { requiresPar: request.require_pushed_authorization_requests }),
})

/** @throws AppError not_found */
export const readRegistration = async (ctx: Ctx, caller: User, clientId: string): Promise<z.input<typeof Registration>> => {
  const row = await findClient(forTenant(ctx.db, caller.tenantId), clientId)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
  return toResponse(row)
}

/** @throws AppError not_found, invalid_request, cannot_grant */
export const changeRegistration = async (ctx: Ctx, caller: User, clientId: string, request: Input): Promise<z.input<typeof Registration>> => {
  const changed = await actAsGrantor(ctx, caller, async (t, grantable) => {
    const row = await lockClient(t, clientId)
    if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
    requireRedirects('redirect_uris', request.redirect_uris)
    requireRedirects('post_logout_redirect_uris', request.post_logout_redirect_uris)
    requireMethod(row, request)
    requireReachable(ctx, request)
    await requireRightsOverClient(t, ctx, grantable, row)
    const by = { actor: byUser(caller), name: caller.email, userId: caller.userId }
    const after = await changeClientIdentity(t, ctx, by, row, { ...changeOf(request), updatedAt: ctx.clock.now() })
    if (after === undefined) throw new AppError('not_found')
    await recordEvent(t, ctx, {
      event: 'client.registration_changed',
      actor: by.actor,
      target: { type: 'client', id: clientId },
      before: { ...toResponse(row) },
      after: { ...toResponse(after) },
    })
    return toResponse(after)
  })
  ctx.wakeOutbox()
  return changed
}
