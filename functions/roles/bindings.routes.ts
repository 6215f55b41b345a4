// Role bindings of the tenant.
import { assignRoleOperation, listBindingsOperation, revokeBindingOperation } from '#shared/administration/bindings.operations'
import { route } from './group.ts'
import type { Side } from './sides.ts'

export const bindingRoutes = ({ id, roles, may }: Side) => [
  route({ ...assignRoleOperation, id: `${id}.assignRole`, on: `POST ${roles}/bindings`, access: may('roles:write') }),
  route({ ...listBindingsOperation, id: `${id}.listBindings`, on: `GET ${roles}/bindings`, access: may('roles:read') }),
  route({ ...revokeBindingOperation, id: `${id}.revokeBinding`, on: `DELETE ${roles}/bindings/:id`, access: may('roles:write') }),
]
