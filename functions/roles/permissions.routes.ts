// Permissions of the tenant.
import {
  deletePermissionByPairOperation,
  deletePermissionOperation,
  listPermissionsOperation,
  listResourcesOperation,
  registerPermissionOperation,
} from '#shared/domains/administration/permissions.operations'
import { route } from './group.ts'
import { ADMINISTRATORS, END_USERS, type RouteAudience } from './route-audiences.ts'

const permissionRoutesOf = ({ id, roles, may }: RouteAudience) => [
  route({ ...registerPermissionOperation, id: `${id}.registerPermission`, on: `POST ${roles}/permissions`, access: may('roles:write') }),
  route({ ...listPermissionsOperation, id: `${id}.listPermissions`, on: `GET ${roles}/permissions`, access: may('roles:read') }),
  route({ ...deletePermissionByPairOperation, id: `${id}.deletePermissionByPair`, on: `DELETE ${roles}/permissions`, access: may('roles:write') }),
  route({ ...listResourcesOperation, id: `${id}.listResources`, on: `GET ${roles}/permissions/resources`, access: may('roles:read') }),
  route({ ...deletePermissionOperation, id: `${id}.deletePermission`, on: `DELETE ${roles}/permissions/:id`, access: may('roles:write') }),
]

export const adminPermissionRoutes = permissionRoutesOf(ADMINISTRATORS)
export const userPermissionRoutes = permissionRoutesOf(END_USERS)
