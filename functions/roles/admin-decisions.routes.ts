// Authorization decisions about any principal of the tenant, and the administrator’s own permissions.

import { checkPolicyOperation, ownRightsOperation } from '#shared/domains/administration/decisions.operations'
import { may } from '#shared/platform/http/access'
import { route } from './group.ts'

export const adminDecisionRoutes = [
  route({
    ...checkPolicyOperation,
    id: 'admin.checkPolicy',
    on: 'POST /authsec/uflow/admin/policy/check',
    access: may('admin:access', 'policy:check'),
  }),
  route({ ...ownRightsOperation, id: 'admin.ownRights', on: 'GET /authsec/uflow/admin/me/roles-permissions', access: may('admin:access') }),
]
