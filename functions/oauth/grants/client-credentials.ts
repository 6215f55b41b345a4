// The client credentials grant (RFC 6749 section 4.4): the token has the scopes that the client's service account holds, and nothing is stored.

import { issueAccessToken } from '#shared/domains/oauth/access-token'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { defaultScopes, parseScopes, requireKnownScopes, resourceFor } from '../scopes.ts'
import type { Grant } from '../token-request.ts'

/** @throws AppError unauthorized_client, invalid_target, invalid_scope, invalid_authorization_details */
export const clientCredentials: Grant = async (ctx, { client, form, jkt }) => {
  if (client.isPublic || client.serviceAccountId === undefined) throw new AppError('unauthorized_client')
  if (form.authorization_details !== undefined)
    throw new AppError('invalid_authorization_details', 'authorization_details need the consent of a person.')
  const requested = parseScopes(form.scope)
  const resource = resourceFor(client, form.resource, requested)
  if (resource === undefined) throw new AppError('invalid_target', 'The client is registered at no resource server.')
  if (requested.some(isIdentityScope)) throw new AppError('invalid_scope', 'Identity scopes need a person; this token is for the client itself.')
  requireKnownScopes(client, resource, requested)
  const held = new Set(resource.ofServiceAccount)
  const missing = requested.find((scope) => !held.has(scope))
  if (missing !== undefined) throw new AppError('invalid_scope', `The client does not hold what ${missing} needs.`)
  const scopes = (requested.length > 0 ? requested : defaultScopes(client, resource)).filter((scope) => held.has(scope))
  const { tenantId, clientId } = client
  const ttlSeconds = resource.tokenSeconds
  const token = await issueAccessToken(ctx, {
    tenantId,
    sub: clientId,
    clientId,
    audience: resource.resource,
    scopes,
    authorizationId: undefined,
    jkt,
    authentication: undefined,
    ttlSeconds,
  })
  return { access_token: token, token_type: jkt === undefined ? 'Bearer' : 'DPoP', expires_in: ttlSeconds, scope: scopes.join(' ') }
}
