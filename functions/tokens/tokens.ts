// Verifies tokens, and reissues the token of the caller's own session.

import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import { findGroupsOfPerson } from '#db/store/groups'
import { hasProject } from '#db/store/projects'
import { findTenant } from '#db/store/tenants'
import { findUser } from '#db/store/users'
import { parseClientId } from '#shared/domains/clients/application'
import { authenticateClientSecret, authenticateSdkClient, sdkClientId } from '#shared/domains/clients/secrets'
import { normaliseEmail } from '#shared/kernel/email'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { issueSessionToken, type SessionGrant, verifySessionToken } from '#shared/platform/tokens/session-token'
import type { Ctx } from './group.ts'
import { resourcesOf } from './rights.ts'
import type { GeneratedToken, GenerateToken, VerifiedToken } from './tokens.schema.ts'

/**
 * Verifies signature, expiry, session, person, client and tenant, and returns the current permissions of the session: tenant-wide ones without conditions,
 * because conditions are evaluated on the person's own request.
 * @throws AppError invalid_token
 */
export const verifyToken = async (ctx: Ctx, token: string): Promise<z.input<typeof VerifiedToken>> => {
  const user = await ctx.principals.resolve(token)
  const claims = await verifySessionToken(ctx, token)
  const t = forTenant(ctx.db, user.tenantId)
  const scopes = [...user.permissions].toSorted()
  return {
    valid: true,
    tenant_id: user.tenantId,
    project_id: claims.projectId,
    client_id: user.clientId ?? '',
    email_id: user.email,
    user_id: user.userId,
    scopes,
    // As in the token itself: services that decide by role must not treat a session with a temporary password as unrestricted.
    roles: user.passwordChangeRequired ? [] : await findLiveRoleNames(t, user.userId, ctx.clock.now()),
    groups: (await findGroupsOfPerson(t, user.userId)).map(({ name }) => name),
    resources: resourcesOf(scopes),
    token_type: 'default',
    issued_at: claims.issuedAt.toISOString(),
    expires_at: claims.expiresAt.toISOString(),
    issuer: ctx.config.AUTH_EXPECT_ISS,
  }
}

type Input = z.output<typeof GenerateToken>

/** The bearer token alone determines the identity; a body may only repeat it. @throws AppError identity_mismatch, without any look-up */
const requireOwnIdentity = (caller: User, body: Input): void => {
  const pairs: readonly (readonly [keyof Input, boolean])[] = [
    ['tenant_id', body.tenant_id === undefined || body.tenant_id.toLowerCase() === caller.tenantId],
    ['email_id', body.email_id === undefined || normaliseEmail(body.email_id) === caller.email],
    ['client_id', body.client_id === undefined || parseClientId(body.client_id) === caller.clientId],
  ]
  const wrong = pairs.find(([, same]) => !same)
  if (wrong !== undefined) throw new AppError('identity_mismatch', undefined, { field: `body.${wrong[0]}` })
}

/** The project for the token must belong to the tenant. The tenant's own id is also accepted, because clients of AuthSec send it. @throws AppError not_found */
const projectOf = async (t: TenantDb, own: string | null, requested: string | undefined): Promise<string> => {
  const id = requested?.toLowerCase()
  if (id === undefined || id === t.tenantId || id === own) return own ?? ''
  if (isUuid(id) && (await hasProject(t, id))) return id
  throw new AppError('not_found', 'There is no such project.', { field: 'body.project_id' })
}

/** A secret in the body must belong to the session's own client: the secret, or the second half of its SDK client id. @throws AppError invalid_credentials */
const requireSecret = async (ctx: Ctx, caller: User, secret: string): Promise<void> => {
  const clientId = caller.clientId
  const refusal = new AppError('invalid_credentials', undefined, { field: 'body.secret_id' })
  if (clientId === undefined) throw refusal
  const client =
    (await authenticateSdkClient(ctx, sdkClientId(clientId, secret))) ?? (await authenticateClientSecret(ctx, { clientId, secret }, 'in body'))
  if (client?.tenantId !== caller.tenantId) throw refusal
}

/**
 * Reissues the token of the caller's own session, with the same session, expiry and permissions.
 * @throws AppError identity_mismatch, not_found, invalid_credentials
 */
export const generateToken = async (ctx: Ctx, caller: User, body: Input): Promise<z.input<typeof GeneratedToken>> => {
  requireOwnIdentity(caller, body)
  if (body.secret_id !== undefined) await requireSecret(ctx, caller, body.secret_id)
  const t = forTenant(ctx.db, caller.tenantId)
  const [user, tenant] = [await findUser(t, caller.userId), await findTenant(t)]
  if (user === undefined || tenant === undefined) throw new AppError('invalid_token')
  const grant: SessionGrant = {
    tenantId: caller.tenantId,
    userId: caller.userId,
    sessionId: caller.sessionId,
    tokenId: caller.tokenId,
    email: caller.email,
    projectId: await projectOf(t, user.projectId, body.project_id),
    clientId: caller.clientId,
    tenantDomain: tenant.domain,
    scopes: [],
    roles: await findLiveRoleNames(t, caller.userId, ctx.clock.now()),
    authTime: caller.authTime,
    amr: caller.amr,
    acr: caller.acr,
    expiresAt: caller.tokenExpiresAt,
  }
  await atomically(t, (tx) =>
    recordEvent(tx, ctx, { event: 'token.reissued', actor: byUser(caller), target: { type: 'session', id: caller.sessionId } }),
  )
  const { token, issuedAt, expiresAt } = await issueSessionToken(ctx, grant)
  return { access_token: token, token_type: 'Bearer', expires_in: Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000) }
}
