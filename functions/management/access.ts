// Access to hmgr/admin: the one permission that AuthSec requires, and the permission of the resource in addition.
import { may } from '#shared/platform/http/access'
import type { Permission } from '#shared/platform/principals/principal'

export const managementAccess = (...all: readonly Permission[]) => may('admin:access', 'admin:manage', ...all)
