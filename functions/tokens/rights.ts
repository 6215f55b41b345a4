// Current permissions of the caller's session, for the responses of this group.
import { showOwnRights } from '#shared/domains/administration/decisions'
import { hasPermission, type Permission, type User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const resourcesOf = (permissions: readonly string[]): string[] => [
  ...new Set(permissions.map((permission) => permission.slice(0, permission.indexOf(':')))),
]

/** Administrator permissions count only in a session that is strong enough for the tenant, because other services rely on these answers. */
export const isStrongEnough = (caller: User, permission: string): boolean =>
  (permission !== 'admin:access' && !permission.startsWith('platform:')) || hasPermission(caller, permission as Permission)

export type Rights = { readonly permissions: string[]; readonly roles: string[]; readonly resources: string[] }

export const sessionRights = async (ctx: Ctx, caller: User): Promise<Rights> => {
  const { permissions: all, roles } = await showOwnRights(ctx, caller)
  const permissions = all.filter((permission) => isStrongEnough(caller, permission))
  return { permissions, roles, resources: resourcesOf(permissions) }
}
