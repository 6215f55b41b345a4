// Administration of permissions: the same operations on the administrators' path, which also requires `admin:access`, and on the end users' path.
import { may } from '#shared/platform/http/access'
import type { Permission } from '#shared/platform/principals/principal'

const forAdministrators = (permission: Permission) => may('admin:access', permission)

export type RouteAudience = {
  /** Prefix of the operation ids. */
  readonly id: 'admin' | 'user' | 'enduser'
  readonly roles: `/${string}`
  readonly scopes: `/${string}`
  readonly may: typeof forAdministrators
}

export const ADMINISTRATORS: RouteAudience = { id: 'admin', roles: '/authsec/uflow/admin', scopes: '/authsec/uflow/admin', may: forAdministrators }
export const END_USERS: RouteAudience = {
  id: 'user',
  roles: '/authsec/uflow/user/rbac',
  scopes: '/authsec/uflow/user',
  may: (permission) => may(permission),
}
/** The path where older administration pages read scopes. */
export const OLDER_PAGES: Pick<RouteAudience, 'id' | 'scopes' | 'may'> = { id: 'enduser', scopes: '/authsec/uflow/enduser', may: forAdministrators }
