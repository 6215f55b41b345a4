// Roles of the tenant.
import {
  createRoleOperation,
  deleteRoleOperation,
  getRoleOperation,
  listRolesOperation,
  updateRoleOperation,
} from '#shared/domains/administration/roles.operations'
import { route } from './group.ts'
import { ADMINISTRATORS, END_USERS, type RouteAudience } from './route-audiences.ts'

/** Reads a role with its permissions and its ETag. */
const oneRoleRoute = ({ id, roles, may }: RouteAudience) =>
  route({ ...getRoleOperation, id: `${id}.getRole`, on: `GET ${roles}/roles/:role_id`, access: may('roles:read') })

const roleRoutesOf = ({ id, roles, may }: RouteAudience) => [
  route({ ...createRoleOperation, id: `${id}.createRole`, on: `POST ${roles}/roles`, access: may('roles:write') }),
  route({ ...listRolesOperation, id: `${id}.listRoles`, on: `GET ${roles}/roles`, access: may('roles:read') }),
  route({ ...updateRoleOperation, id: `${id}.updateRole`, on: `PUT ${roles}/roles/:role_id`, access: may('roles:write') }),
  route({ ...deleteRoleOperation, id: `${id}.deleteRole`, on: `DELETE ${roles}/roles/:role_id`, access: may('roles:write') }),
]

export const adminRoleRoutes = roleRoutesOf(ADMINISTRATORS)
export const adminOneRoleRoutes = [oneRoleRoute(ADMINISTRATORS)]
export const userRoleRoutes = roleRoutesOf(END_USERS)
