// Who may call hmgr/admin: AuthSec asks for one permission for all of it; here the permission of the thing stands beside it.
import { may } from '#shared/platform/http/access'
import type { Permission } from '#shared/platform/principals/principal'

export const managementAccess = (...all: readonly Permission[]) => may('admin:access', 'admin:manage', ...all)
