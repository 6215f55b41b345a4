// Imports groups, service accounts, permissions, roles, scopes and bindings. Rows that cross tenants or have no meaning here are refused with a reason.
import type { ImportRows } from '#db/store/import'
import { readConditions } from '#shared/domains/decision/conditions'
import type { ReportNotes } from './report.ts'
import { isEmpty, momentField, objectField, type SourceRow, textField, uuidField } from './source.ts'

type Times = { readonly createdAt: Date; readonly updatedAt: Date }
const timesOf = (row: SourceRow, now: Date): Times => {
  const createdAt = momentField(row, 'created_at') ?? now
  return { createdAt, updatedAt: momentField(row, 'updated_at') ?? createdAt }
}

type Named = { readonly id: string; readonly name: string; readonly row: SourceRow }
/** Rows with an id and a name that is unique in the tenant. */
const named = (table: string, rows: readonly SourceRow[], notes: ReportNotes): readonly Named[] => {
  const names = new Set<string>()
  return rows.flatMap((row) => {
    const [id, name] = [uuidField(row, 'id'), textField(row, 'name', 200)]
    const reason = id === undefined ? 'id_invalid' : name === undefined ? 'name_missing' : names.has(name) ? 'name_duplicate' : undefined
    if (id === undefined || name === undefined || reason !== undefined) {
      notes.refused(table, id ?? null, reason ?? 'id_invalid')
      return []
    }
    names.add(name)
    return [{ id, name, row }]
  })
}

export const planGroups = (rows: readonly SourceRow[], now: Date, notes: ReportNotes): ImportRows['groups'] =>
  named('groups', rows, notes).map(({ id, name, row }) => {
    notes.taken('groups', id)
    return { id, name, description: textField(row, 'description', 2000) ?? null, ...timesOf(row, now) }
  })

export const planServiceAccounts = (rows: readonly SourceRow[], now: Date, notes: ReportNotes): ImportRows['serviceAccounts'] =>
  named('service_accounts', rows, notes).map(({ id, name, row }) => {
    notes.taken('service_accounts', id)
    return { id, name, description: textField(row, 'description', 2000) ?? '', ...timesOf(row, now) }
  })

/** Printable ASCII without space, quotes, backslash and colon: a colon would make two pairs ambiguous. */
const PART = /^[\x21\x23-\x39\x3b-\x5b\x5d-\x7e]{1,100}$/

export const planPermissions = (rows: readonly SourceRow[], now: Date, notes: ReportNotes): ImportRows['permissions'] => {
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const id = uuidField(row, 'id')
    const [resource, action] = [textField(row, 'resource', 200) ?? '', textField(row, 'action', 200) ?? '']
    const pair = `${resource}:${action}`
    const isValid = PART.test(resource) && PART.test(action)
    const reason =
      id === undefined
        ? 'id_invalid'
        : !isValid
          ? 'name_ambiguous'
          : resource === 'platform'
            ? 'resource_of_the_platform'
            : seen.has(pair)
              ? 'name_duplicate'
              : undefined
    if (id === undefined || reason !== undefined) {
      notes.refused('permissions', id ?? null, reason ?? 'id_invalid')
      return []
    }
    seen.add(pair)
    notes.taken('permissions', id)
    return [{ id, resource, action, description: textField(row, 'description', 2000) ?? '', ...timesOf(row, now) }]
  })
}

export const ADMIN = 'admin'
/**
 * A role named admin becomes the system role, with every permission, only if AuthSec marked it as a system role or has no such mark. Any other keeps its own
 * permissions under another name, so that its holders gain nothing.
 */
export const planRoles = (rows: readonly SourceRow[], now: Date, notes: ReportNotes): ImportRows['roles'] => {
  const found = named('roles', rows, notes)
  const names = new Set(found.map(({ name }) => name))
  return found.map(({ id, name, row }) => {
    const isSystem = name === ADMIN && (row.is_system === undefined || row.is_system === true)
    const isRenamed = name === ADMIN && !isSystem
    const free = names.has('admin (imported)') ? `admin (${id})` : 'admin (imported)'
    notes.taken('roles', id, ...(isRenamed ? ['renamed'] : []))
    return { id, name: isRenamed ? free : name, description: textField(row, 'description', 2000) ?? '', isSystem, ...timesOf(row, now) }
  })
}

const USAGES = ['internal', 'oauth', 'both'] as const
export const planScopes = (rows: readonly SourceRow[], now: Date, notes: ReportNotes): ImportRows['scopes'] =>
  named('scopes', rows, notes).map(({ id, name, row }) => {
    const usage = USAGES.find((known) => known === textField(row, 'usage'))
    notes.taken('scopes', id, ...(usage === undefined ? ['usage_unknown'] : []))
    return { id, name, description: textField(row, 'description', 2000) ?? '', usage: usage ?? 'internal', ...timesOf(row, now) }
  })

/** Links between imported rows of this tenant, without duplicates. */
export const planLinks = (
  table: string,
  rows: readonly SourceRow[],
  [left, lefts]: readonly [string, ReadonlySet<string>],
  [right, rights]: readonly [string, ReadonlySet<string>],
  notes: ReportNotes,
): readonly { readonly left: string; readonly right: string; readonly row: SourceRow }[] => {
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const [a, b] = [uuidField(row, left), uuidField(row, right)]
    const id = `${a ?? '?'}/${b ?? '?'}`
    const isWhole = a !== undefined && b !== undefined && lefts.has(a) && rights.has(b)
    if (!isWhole || seen.has(id)) {
      notes.refused(table, id, isWhole ? 'duplicate' : 'end_missing_or_of_another_tenant')
      return []
    }
    seen.add(id)
    notes.taken(table, id)
    return [{ left: a, right: b, row }]
  })
}

type Ends = { readonly roleIds: ReadonlySet<string>; readonly userIds: ReadonlySet<string>; readonly serviceAccountIds: ReadonlySet<string> }
type Binding = ImportRows['bindings'][number]

/** Tenant-wide, or for one resource. In AuthSec a wildcard is tenant-wide, whatever its type. */
const scopeOf = (
  row: SourceRow,
): { readonly scopeType: string | null; readonly scopeId: string | null; readonly reasons: readonly string[] } | undefined => {
  const [type, raw, id] = [textField(row, 'scope_type', 100), textField(row, 'scope_id'), uuidField(row, 'scope_id')]
  if (raw === '*') return { scopeType: null, scopeId: null, reasons: ['wildcard_scope'] }
  if (isEmpty(row, 'scope_type') && isEmpty(row, 'scope_id')) return { scopeType: null, scopeId: null, reasons: [] }
  return type !== undefined && id !== undefined ? { scopeType: type, scopeId: id, reasons: [] } : undefined
}

/** `null` without conditions; `undefined` for unreadable ones, because a restriction must not be dropped. */
const conditionsOf = (row: SourceRow): Readonly<Record<string, unknown>> | null | undefined => {
  if (isEmpty(row, 'conditions')) return null
  const conditions = objectField(row, 'conditions')
  return conditions !== undefined && Object.keys(conditions).length === 0 ? null : conditions
}
const expiryOf = (row: SourceRow): Date | null | undefined =>
  isEmpty(row, 'expires_at') || row.expires_at === 'infinity' ? null : momentField(row, 'expires_at')

const bindingOf = (
  row: SourceRow,
  { roleIds, userIds, serviceAccountIds }: Ends,
  now: Date,
): { binding: Binding; reasons: readonly string[] } | string => {
  const [id, roleId, userId, serviceAccountId] = ['id', 'role_id', 'user_id', 'service_account_id'].map((name) => uuidField(row, name))
  if (id === undefined) return 'id_invalid'
  if (roleId === undefined || !roleIds.has(roleId)) return 'role_missing_or_of_another_tenant'
  if ((userId === undefined) === (serviceAccountId === undefined)) return 'not_exactly_one_principal'
  if (userId !== undefined && !userIds.has(userId)) return 'principal_missing_or_of_another_tenant'
  if (serviceAccountId !== undefined && !serviceAccountIds.has(serviceAccountId)) return 'principal_missing_or_of_another_tenant'
  const scope = scopeOf(row)
  if (scope === undefined) return 'scope_incomplete'
  const [conditions, expiresAt] = [conditionsOf(row), expiryOf(row)]
  if (conditions === undefined) return 'conditions_unreadable'
  if (expiresAt === undefined) return 'expiry_unreadable'
  const createdBy = uuidField(row, 'created_by')
  return {
    binding: {
      id,
      roleId,
      userId: userId ?? null,
      serviceAccountId: serviceAccountId ?? null,
      scopeType: scope.scopeType,
      scopeId: scope.scopeId,
      conditions,
      expiresAt,
      createdBy: createdBy !== undefined && userIds.has(createdBy) ? createdBy : null,
      createdAt: momentField(row, 'created_at') ?? now,
    },
    // Stored unchanged; it grants nothing.
    reasons: [...scope.reasons, ...(readConditions(conditions) === 'unusable' ? ['condition_unknown_grants_nothing'] : [])],
  }
}

export const planBindings = (rows: readonly SourceRow[], ends: Ends, now: Date, notes: ReportNotes): readonly Binding[] => {
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const made = bindingOf(row, ends, now)
    const id = uuidField(row, 'id') ?? null
    if (typeof made === 'string') {
      notes.refused('role_bindings', id, made)
      return []
    }
    const { binding, reasons } = made
    const key = [binding.roleId, binding.userId, binding.serviceAccountId, binding.scopeType, binding.scopeId].join()
    if (seen.has(key)) {
      notes.refused('role_bindings', id, 'duplicate')
      return []
    }
    seen.add(key)
    notes.taken('role_bindings', id, ...reasons)
    return [binding]
  })
}
