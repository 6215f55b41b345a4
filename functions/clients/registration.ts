// What the authorization server knows of a client. Where its answers go and how it proves itself decide who can act as it, so changing them takes every right
// that the client has.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Client, type ClientChange, findClient, lockClient, updateClient } from '#db/store/clients'
import { asGrantor } from '#shared/domains/authority/change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { requireRedirects } from '#shared/domains/clients/redirect-uri'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { judgeUrl } from '#shared/platform/fetch/target'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { Registration, RegistrationChange } from './registration.schema.ts'

type Asked = z.output<typeof RegistrationChange>

const shown = (row: Client): z.input<typeof Registration> => ({
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
  jwks_uri: row.jwksUri,
  backchannel_logout_uri: row.backchannelLogoutUri,
  backchannel_logout_session_required: row.backchannelLogoutSessionRequired,
})

/** @throws AppError invalid_request where the way to prove itself does not fit the client */
const requireMethod = (row: Client, asked: Asked): void => {
  const { token_endpoint_auth_method: method = row.tokenEndpointAuthMethod } = asked
  const jwks = asked.jwks === undefined ? row.jwks : asked.jwks
  const field = 'body.token_endpoint_auth_method'
  const refuse = (why: string): never => {
    throw new AppError('invalid_request', `${field}: ${why}`, { field })
  }
  if (method === 'none' && !row.isPublic) refuse('a client with a secret proves itself')
  if (row.isPublic && method !== null && method !== 'none') refuse('a public client has nothing to prove itself with')
  const jwksUri = asked.jwks_uri === undefined ? row.jwksUri : asked.jwks_uri
  if (jwks !== null && jwksUri !== null) refuse('jwks and jwks_uri are not used together')
  if (method === 'private_key_jwt' && jwks === null && jwksUri === null) refuse('private_key_jwt needs jwks or jwks_uri')
}

/** What we call has to be somewhere that we may call. @throws AppError invalid_request */
const requireReachable = (ctx: Pick<Ctx, 'config'>, asked: Asked): void => {
  for (const name of ['jwks_uri', 'backchannel_logout_uri'] as const) {
    const uri = asked[name]
    if (typeof uri !== 'string' || typeof judgeUrl(uri, { loopback: ctx.config.OUTBOUND_LOOPBACK === 'on' }) !== 'string') continue
    throw new AppError('invalid_request', `body.${name}: must be https, with a public host name and a usual port`, { field: `body.${name}` })
  }
}

const changeOf = (asked: Asked): ClientChange => ({
  ...(asked.redirect_uris === undefined ? {} : { redirectUris: [...new Set(asked.redirect_uris)] }),
  ...(asked.grant_types === undefined ? {} : { grantTypes: [...new Set(asked.grant_types)] }),
  ...(asked.token_endpoint_auth_method === undefined ? {} : { tokenEndpointAuthMethod: asked.token_endpoint_auth_method }),
  ...(asked.jwks === undefined ? {} : { jwks: asked.jwks }),
  ...(asked.client_uri === undefined ? {} : { clientUri: asked.client_uri }),
  ...(asked.post_logout_redirect_uris === undefined ? {} : { postLogoutRedirectUris: asked.post_logout_redirect_uris }),
  ...(asked.scope === undefined ? {} : { allowedScopes: asked.scope === null ? null : [...new Set(asked.scope.split(' '))] }),
  ...(asked.dpop_bound_access_tokens === undefined ? {} : { dpopBound: asked.dpop_bound_access_tokens }),
  ...(asked.jwks_uri === undefined ? {} : { jwksUri: asked.jwks_uri, fetchedJwks: null, jwksFetchedAt: null }),
  ...(asked.backchannel_logout_uri === undefined ? {} : { backchannelLogoutUri: asked.backchannel_logout_uri }),
  ...(asked.backchannel_logout_session_required === undefined ? {} : { backchannelLogoutSessionRequired: asked.backchannel_logout_session_required }),
  ...(asked.require_pushed_authorization_requests === undefined ? {} : { requiresPar: asked.require_pushed_authorization_requests }),
})

/** @throws AppError not_found */
export const readRegistration = async (ctx: Ctx, caller: User, clientId: string): Promise<z.input<typeof Registration>> => {
  const row = await findClient(forTenant(ctx.db, caller.tenantId), clientId)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
  return shown(row)
}

/** @throws AppError not_found, invalid_request, cannot_grant */
export const changeRegistration = (ctx: Ctx, caller: User, clientId: string, asked: Asked): Promise<z.input<typeof Registration>> =>
  asGrantor(ctx, caller, async (t, grants) => {
    const row = await lockClient(t, clientId)
    if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
    requireRedirects('redirect_uris', asked.redirect_uris)
    requireRedirects('post_logout_redirect_uris', asked.post_logout_redirect_uris)
    requireMethod(row, asked)
    requireReachable(ctx, asked)
    await requireRightsOverClient(t, ctx, grants, row)
    const changed = await updateClient(t, clientId, { ...changeOf(asked), updatedAt: ctx.clock.now() })
    if (changed === undefined) throw new AppError('not_found')
    await record(t, ctx, {
      event: 'client.registration_changed',
      actor: byUser(caller),
      target: { type: 'client', id: clientId },
      before: { ...shown(row) },
      after: { ...shown(changed) },
    })
    return shown(changed)
  })
