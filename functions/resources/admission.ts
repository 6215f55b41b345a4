// Admission of clients and people to a resource server.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { lockClient } from '#db/store/clients'
import { listAccessRequests } from '#db/store/registered-clients'
import { findResourceServer, isRegisteredAt, listServerScopes, updateResourceServer } from '#db/store/resource-servers'
import { countPermissionsOfRoles, findRole, findRolesWithPermissions, listRoles } from '#db/store/roles'
import { actAsGrantor, requireRoleGrantable } from '#shared/domains/authority/access-change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { changeClientIdentity } from '#shared/domains/clients/change-identity'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { AccessPolicy, AccessPolicyChange, AccessRequests, DecidedRedirects } from './admission.schema.ts'
import type { Ctx } from './group.ts'

type Policy = z.input<typeof AccessPolicy>
const MOST_OPTIONS = 500

/**
 * Redirect URIs decide who can act as a client, so approving new ones needs every permission of the client and ends the consents that people gave it.
 * @throws AppError not_found, cannot_grant
 */
export const decideRedirects = async (
  ctx: Ctx,
  caller: User,
  id: string,
  clientId: string,
  approve: boolean,
): Promise<z.input<typeof DecidedRedirects>> => {
  const decided = await actAsGrantor(ctx, caller, async (t, grantable) => {
    const row = (await isRegisteredAt(t, id, clientId)) ? await lockClient(t, clientId) : undefined
    const waiting = row?.reviewedRedirectUris ?? null
    if (row === undefined || waiting === null) throw new AppError('not_found')
    if (approve) await requireRightsOverClient(t, ctx, grantable, row)
    const redirectUris = approve ? waiting : row.redirectUris
    const by = { actor: byUser(caller), name: caller.email, userId: caller.userId }
    await changeClientIdentity(t, ctx, by, row, { redirectUris, reviewedRedirectUris: null, updatedAt: ctx.clock.now() })
    await recordEvent(t, ctx, {
      event: 'client.registration_changed',
      actor: by.actor,
      target: { type: 'client', id: clientId },
      before: { redirect_uris: row.redirectUris, waiting },
      after: { redirect_uris: redirectUris, approved: approve },
    })
    return { client_id: clientId, redirect_uris: redirectUris, status: approve ? ('approved' as const) : ('denied' as const) }
  })
  ctx.wakeOutbox()
  return decided
}

const policyResponse = async (t: TenantDb, caller: User, id: string): Promise<Policy> => {
  const row = await findResourceServer(t, id)
  if (row === undefined) throw new AppError('not_found')
  const role = row.accessPolicyRoleId === null ? undefined : await findRole(t, row.accessPolicyRoleId)
  return {
    resource_server_id: id,
    enabled: row.accessPolicyEnabled && role !== undefined,
    role_id: role?.id ?? null,
    role_name: role?.name ?? null,
    ...(role === undefined ? {} : { default_role_id: role.id, default_role_name: role.name }),
    assignment_trigger: 'first_authorization',
    assignment_source: 'access_policy',
    role_options: caller.permissions.has('roles:read') ? await roleOptions(t, id) : [],
  }
}

/** The roles to offer for the policy. System roles are left out, but can be set by their id. */
const roleOptions = async (t: TenantDb, id: string): Promise<Policy['role_options']> => {
  const scopes = await listServerScopes(t, id)
  const fitting = await findRolesWithPermissions(
    t,
    scopes.flatMap(({ permission }) => permission ?? []),
  )
  const roles = (await listRoles(t, { page: { sort: 'name', descending: false, limit: MOST_OPTIONS } })).filter(({ isSystem }) => !isSystem)
  const counts = await countPermissionsOfRoles(
    t,
    roles.map((role) => role.id),
  )
  return roles.map((role) => ({
    role_id: role.id,
    name: role.name,
    description: role.description,
    is_generated: false,
    recommended: fitting.some((one) => one.id === role.id),
    permissions: counts.get(role.id) ?? 0,
  }))
}

const audited = ({ enabled, role_id, role_name }: Policy) => ({ enabled, role_id, role_name })

/** @throws AppError not_found */
export const readAccessPolicy = (ctx: Ctx, caller: User, id: string): Promise<Policy> =>
  policyResponse(forTenant(ctx.db, caller.tenantId), caller, id)

/** Sets the role that every new person gets, so the caller must be able to grant it. @throws AppError not_found, invalid_request, cannot_grant */
export const changeAccessPolicy = (ctx: Ctx, caller: User, id: string, request: z.output<typeof AccessPolicyChange>): Promise<Policy> =>
  actAsGrantor(ctx, caller, async (t, grantable) => {
    const before = await policyResponse(t, caller, id)
    const requested = request.role_id === undefined ? request.default_role_id : request.role_id
    const roleId = requested === undefined ? before.role_id : requested
    const role = roleId === null ? undefined : await findRole(t, roleId)
    if (roleId !== null && role === undefined) throw new AppError('not_found', undefined, { field: 'body.role_id' })
    if (request.enabled && role === undefined) throw new AppError('invalid_request', 'body.role_id: is missing', { field: 'body.role_id' })
    if (request.enabled && role !== undefined) await requireRoleGrantable(t, grantable, role)
    await updateResourceServer(t, id, { accessPolicyEnabled: request.enabled, accessPolicyRoleId: roleId, updatedAt: ctx.clock.now() })
    const after = await policyResponse(t, caller, id)
    const target = { type: 'resource_server', id }
    await recordEvent(t, ctx, { event: 'resource_server.updated', actor: byUser(caller), target, before: audited(before), after: audited(after) })
    return after
  })

/** @throws AppError not_found */
export const readAccessRequests = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof AccessRequests>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  if ((await findResourceServer(t, id)) === undefined) throw new AppError('not_found')
  const rows = await listAccessRequests(t, id, ctx.clock.now())
  return {
    access_requests: rows.map((row) => ({
      id: row.id,
      client_id: row.clientId,
      status: 'pending',
      created_at: row.createdAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
    })),
  }
}
