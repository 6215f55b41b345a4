// Reads the caller's own session. Reading another person of the tenant needs permission to read people.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import { findGroupsOfPerson } from '#db/store/groups'
import { findFactorKinds, findLivePermissions, findUserByEmail, type User as UserRow } from '#db/store/users'
import { requireSelfOr } from '#shared/domains/authority/acting-tenant'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { AuthStatus, AuthStatusQuery, TokenPermissions, TokenProfile } from './profile.schema.ts'
import { resourcesOf, sessionRights } from './rights.ts'

const groupNames = async (t: TenantDb, userId: string): Promise<string[]> => (await findGroupsOfPerson(t, userId)).map(({ name }) => name)

export const showProfile = async (ctx: Ctx, caller: User): Promise<z.input<typeof TokenProfile>> => {
  const { permissions, roles, resources } = await sessionRights(ctx, caller)
  return {
    tenant_id: caller.tenantId,
    client_id: caller.clientId ?? '',
    email_id: caller.email,
    scopes: permissions,
    roles,
    groups: await groupNames(forTenant(ctx.db, caller.tenantId), caller.userId),
    resources,
    token_type: 'default',
  }
}

export const showPermissions = async (ctx: Ctx, caller: User): Promise<z.input<typeof TokenPermissions>> => {
  const { permissions } = await sessionRights(ctx, caller)
  return { user_id: caller.userId, tenant: caller.tenantId, permissions, count: permissions.length }
}

const statusOf = async (ctx: Ctx, t: TenantDb, user: UserRow): Promise<z.input<typeof AuthStatus>> => {
  const scopes = (await findLivePermissions(t, user.id, ctx.clock.now())).toSorted()
  const factors = await findFactorKinds(t, user.id)
  return {
    tenant_id: user.tenantId,
    email: user.email,
    client_id: user.clientId ?? '',
    project_id: user.projectId ?? '',
    roles: await findLiveRoleNames(t, user.id, ctx.clock.now()),
    scopes,
    groups: await groupNames(t, user.id),
    resources: resourcesOf(scopes),
    mfa_enabled: factors.length > 0,
    webauthn_configured: factors.includes('webauthn'),
    otp_required: factors.includes('totp'),
  }
}

/**
 * Reads a person of the tenant. Callers without permission to read people are refused before any look-up, so they cannot learn which addresses have an account.
 * @throws AppError insufficient_scope, not_found
 */
export const showStatus = async (
  ctx: Ctx,
  caller: User,
  { email, project_id }: z.output<typeof AuthStatusQuery>,
): Promise<z.input<typeof AuthStatus>> => {
  requireSelfOr(caller, email === caller.email ? caller.userId : undefined, 'users:read')
  const t = forTenant(ctx.db, caller.tenantId)
  const user = await findUserByEmail(t, email)
  const found = user !== undefined && user.deletedAt === null && (project_id === undefined || project_id === user.projectId)
  if (!found) throw new AppError('not_found', 'user not found')
  return statusOf(ctx, t, user)
}
