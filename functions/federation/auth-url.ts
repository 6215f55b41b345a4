// Builds an authorization request for a client (RFC 6749 section 4.1.1, RFC 7636).
import { createHash } from 'node:crypto'
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import { findApplication, parseClientId } from '#shared/domains/clients/application'
import { ENDPOINTS } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import type { Ctx } from './group.ts'
import type { AuthUrl } from './initiate.schema.ts'

const BACK = '/oidc/auth/callback'

/** The redirect URI of AuthSec's pages: registered for the client, preferably on the tenant's own domain. */
const redirectOf = (registered: readonly string[], domain: string): string | undefined => {
  const own = `https://${domain}${BACK}`
  return registered.includes(own) ? own : registered.find((uri) => uri.endsWith(BACK))
}

const unknown = (error: unknown): never => {
  throw error instanceof AppError && error.code === 'invalid_client' ? new AppError('not_found', undefined, { field: 'body.client_id' }) : error
}

/** State and verifier are generated for this call and not stored; the caller keeps them. @throws AppError invalid_request, not_found, redirect_refused */
export const authUrl = async (ctx: Ctx, typed: string): Promise<z.input<typeof AuthUrl>> => {
  if (parseClientId(typed) === undefined) throw new AppError('invalid_request', 'body.client_id: must be a client id', { field: 'body.client_id' })
  const { tenantId, clientId } = await findApplication(ctx, typed).catch(unknown)
  const t = forTenant(ctx.db, tenantId)
  const [client, tenant] = [await findClient(t, clientId), await findTenant(t)]
  if (client === undefined || tenant?.status !== 'active') throw new AppError('not_found', undefined, { field: 'body.client_id' })
  const redirectUri = redirectOf(client.redirectUris, tenant.domain)
  if (redirectUri === undefined) throw new AppError('redirect_refused', undefined, { field: 'body.client_id' })
  const [state, verifier] = [randomToken(ctx.random), randomToken(ctx.random)]
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email',
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return { auth_url: `${ctx.config.BASE_URL}${ENDPOINTS.authorization}?${query}`, state, code_verifier: verifier }
}
