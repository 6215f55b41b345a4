// Plans the import of one tenant: a pure function of its rows and of what exists here.

import type { TenantId } from '#db/engine/tenant'
import type { ImportRows } from '#db/store/import'
import { planBindings, planGroups, planLinks, planPermissions, planRoles, planScopes, planServiceAccounts } from './access.ts'
import { planClients } from './clients.ts'
import { type PlannedFactor, planFactors, type ReadFactors } from './factors.ts'
import { type AddressRule, planPeople, planProjects } from './people.ts'
import type { ReportNotes } from './report.ts'
import { type SourceRow, type TenantRows, uuidField } from './source.ts'
import { type PlannedTenant, planDomains, planTenant } from './tenant.ts'

export type PlanOptions = {
  readonly suffix: string
  readonly addresses: AddressRule
  readonly isDomainTaken: (domain: string) => boolean
  readonly isClientTaken: (clientId: string) => boolean
  readonly newToken: () => string
  readonly factors: ReadFactors
  readonly now: Date
  readonly notes: ReportNotes
}
export type Plan = {
  readonly tenant: PlannedTenant
  readonly rows: ImportRows
  readonly factors: readonly PlannedFactor[]
  /** People whose backup codes are not imported. */
  readonly codesLost: ReadonlySet<string>
}

const idsOf = (rows: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(rows.map(({ id }) => id))
const rawIds = (rows: readonly SourceRow[], name: string): ReadonlySet<string> =>
  new Set(
    rows.flatMap((row) => {
      const id = uuidField(row, name)
      return id === undefined ? [] : [id]
    }),
  )

const planAccess = (source: TenantRows, userIds: ReadonlySet<string>, now: Date, notes: ReportNotes) => {
  const groups = planGroups(source.groups, now, notes)
  const permissions = planPermissions(source.permissions, now, notes)
  const roles = planRoles(source.roles, now, notes)
  const scopes = planScopes(source.scopes, now, notes)
  const serviceAccounts = planServiceAccounts(source.service_accounts, now, notes)
  const [permissionIds, roleIds] = [idsOf(permissions), idsOf(roles)]
  const links = (
    table: 'user_groups' | 'role_permissions' | 'scope_permissions',
    left: [string, ReadonlySet<string>],
    right: [string, ReadonlySet<string>],
  ) => planLinks(table, source[table], left, right, notes)
  return {
    groups,
    permissions,
    roles,
    scopes,
    serviceAccounts,
    members: links('user_groups', ['user_id', userIds], ['group_id', idsOf(groups)]).map(({ left, right }) => ({
      userId: left,
      groupId: right,
      createdAt: now,
    })),
    rolePermissions: links('role_permissions', ['role_id', roleIds], ['permission_id', permissionIds]).map(({ left, right }) => ({
      roleId: left,
      permissionId: right,
    })),
    scopePermissions: links('scope_permissions', ['scope_id', idsOf(scopes)], ['permission_id', permissionIds]).map(({ left, right }) => ({
      scopeId: left,
      permissionId: right,
    })),
    bindings: planBindings(source.role_bindings, { roleIds, userIds, serviceAccountIds: idsOf(serviceAccounts) }, now, notes),
  }
}

export const planImport = (tenantId: TenantId, tenantRows: readonly SourceRow[], source: TenantRows, options: PlanOptions): Plan => {
  const { now, notes } = options
  const tenant = planTenant(tenantId, tenantRows, { suffix: options.suffix, isTaken: options.isDomainTaken, now, notes })
  const projects = planProjects(source.projects, rawIds(source.users, 'id'), now, notes)
  const projectIds = idsOf(projects)
  const clientIds = rawIds(source.clients, 'client_id')
  const users = planPeople(source.users, { projectIds, clientIds, addresses: options.addresses, factors: options.factors, now, notes })
  const userIds = idsOf(users)
  const deleted = idsOf(users.filter(({ deletedAt }) => deletedAt !== null && deletedAt !== undefined))
  const clients = planClients(source.clients, { tenantId, userIds, projectIds, isTaken: options.isClientTaken, now, notes })
  return {
    tenant,
    rows: {
      tenantDomains: planDomains(source.tenant_domains, tenant.domain, options.newToken, now, notes),
      projects,
      users,
      clients,
      ...planAccess(source, userIds, now, notes),
    },
    factors: planFactors(options.factors, { taken: userIds, deleted }, notes),
    codesLost: options.factors.codesLost,
  }
}
