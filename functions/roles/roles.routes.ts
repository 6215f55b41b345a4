// Roles of the tenant.
import {
  createRoleOperation,
  deleteRoleOperation,
  getRoleOperation,
  listRolesOperation,
  updateRoleOperation,
} from '#shared/administration/roles.operations'
import { route } from './group.ts'
import type { Side } from './sides.ts'

/** Reading a single one, with its permissions and its tag. */
export const oneRoleRoute = ({ id, roles, may }: Side) =>
  route({ ...getRoleOperation, id: `${id}.getRole`, on: `GET ${roles}/roles/:role_id`, access: may('roles:read') })

export const roleRoutes = ({ id, roles, may }: Side) => [
  route({ ...createRoleOperation, id: `${id}.createRole`, on: `POST ${roles}/roles`, access: may('roles:write') }),
  route({ ...listRolesOperation, id: `${id}.listRoles`, on: `GET ${roles}/roles`, access: may('roles:read') }),
  route({ ...updateRoleOperation, id: `${id}.updateRole`, on: `PUT ${roles}/roles/:role_id`, access: may('roles:write') }),
  route({ ...deleteRoleOperation, id: `${id}.deleteRole`, on: `DELETE ${roles}/roles/:role_id`, access: may('roles:write') }),
]
