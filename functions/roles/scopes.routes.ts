// Scopes and API scopes of the tenant.
import {
  createApiScopeOperation,
  createScopeOperation,
  deleteApiScopeOperation,
  deleteScopeOperation,
  getApiScopeOperation,
  listApiScopesOperation,
  listMappingsOperation,
  listScopesOfTenantOperation,
  listScopesOperation,
  updateApiScopeOperation,
  updateScopeOperation,
} from '#shared/domains/administration/scopes.operations'
import { route } from './group.ts'
import { ADMINISTRATORS, END_USERS, OLDER_PAGES, type RouteAudience } from './route-audiences.ts'

type ScopeSide = Pick<RouteAudience, 'id' | 'scopes' | 'may'>

const scopeRoutesOf = ({ id, scopes, may }: ScopeSide) => [
  route({ ...listScopesOperation, id: `${id}.listScopes`, on: `GET ${scopes}/scopes`, access: may('roles:read') }),
  route({ ...listMappingsOperation, id: `${id}.listScopeMappings`, on: `GET ${scopes}/scopes/mappings`, access: may('roles:read') }),
  route({ ...createScopeOperation, id: `${id}.createScope`, on: `POST ${scopes}/scopes`, access: may('scopes:write') }),
  route({ ...updateScopeOperation, id: `${id}.updateScope`, on: `PUT ${scopes}/scopes/:scope_name`, access: may('scopes:write') }),
  route({ ...deleteScopeOperation, id: `${id}.deleteScope`, on: `DELETE ${scopes}/scopes/:scope_name`, access: may('scopes:write') }),
]

const scopesOfTenantRoute = ({ id, scopes, may }: ScopeSide) =>
  route({ ...listScopesOfTenantOperation, id: `${id}.listScopesOfTenant`, on: `GET ${scopes}/scopes/:tenant_id`, access: may('roles:read') })

const apiScopeRoutesOf = ({ id, scopes, may }: RouteAudience) => [
  route({ ...createApiScopeOperation, id: `${id}.createApiScope`, on: `POST ${scopes}/api_scopes`, access: may('scopes:write') }),
  route({ ...listApiScopesOperation, id: `${id}.listApiScopes`, on: `GET ${scopes}/api_scopes`, access: may('roles:read') }),
  route({ ...getApiScopeOperation, id: `${id}.getApiScope`, on: `GET ${scopes}/api_scopes/:scope_id`, access: may('roles:read') }),
  route({ ...updateApiScopeOperation, id: `${id}.updateApiScope`, on: `PUT ${scopes}/api_scopes/:scope_id`, access: may('scopes:write') }),
  route({ ...deleteApiScopeOperation, id: `${id}.deleteApiScope`, on: `DELETE ${scopes}/api_scopes/:scope_id`, access: may('scopes:write') }),
]

export const adminScopeRoutes = [...scopeRoutesOf(ADMINISTRATORS), ...apiScopeRoutesOf(ADMINISTRATORS)]
export const userScopeRoutes = [...scopeRoutesOf(END_USERS), ...apiScopeRoutesOf(END_USERS)]
export const olderScopeRoutes = [...scopeRoutesOf(OLDER_PAGES), scopesOfTenantRoute(OLDER_PAGES)]
