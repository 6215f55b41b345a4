// Role bindings of the tenant.
import { assignRoleOperation, listBindingsOperation, revokeBindingOperation } from '#shared/domains/administration/bindings.operations'
import { route } from './group.ts'
import { ADMINISTRATORS, END_USERS, type RouteAudience } from './route-audiences.ts'

const bindingRoutesOf = ({ id, roles, may }: RouteAudience) => [
  route({ ...assignRoleOperation, id: `${id}.assignRole`, on: `POST ${roles}/bindings`, access: may('roles:write') }),
  route({ ...listBindingsOperation, id: `${id}.listBindings`, on: `GET ${roles}/bindings`, access: may('roles:read') }),
  route({ ...revokeBindingOperation, id: `${id}.revokeBinding`, on: `DELETE ${roles}/bindings/:id`, access: may('roles:write') }),
]

export const adminBindingRoutes = bindingRoutesOf(ADMINISTRATORS)
export const userBindingRoutes = bindingRoutesOf(END_USERS)
