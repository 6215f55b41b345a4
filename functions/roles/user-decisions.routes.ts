// Authorization checks for the caller, and lists of the caller’s own permissions.

import {
  checkOwnPolicyOperation,
  effectivePermissionsOperation,
  ownPermissionCheckOperation,
  ownPermissionsOperation,
} from '#shared/domains/administration/decisions.operations'
import { user } from '#shared/platform/http/access'
import { route } from './group.ts'

export const userDecisionRoutes = [
  route({ ...checkOwnPolicyOperation, id: 'user.checkPolicy', on: 'POST /authsec/uflow/user/rbac/policy/check', access: user() }),
  route({ ...ownPermissionsOperation, id: 'user.listOwnPermissions', on: 'GET /authsec/uflow/user/permissions', access: user() }),
  route({ ...effectivePermissionsOperation, id: 'user.effectivePermissions', on: 'GET /authsec/uflow/user/permissions/effective', access: user() }),
  route({ ...ownPermissionCheckOperation, id: 'user.checkOwnPermission', on: 'GET /authsec/uflow/user/permissions/check', access: user() }),
]
