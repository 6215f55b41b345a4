// Imports a tenant again, by key: existing rows stay, rows that the last run saw and that are missing here were deleted here and stay deleted, and newer rows are
// added one by one.

import type { TenantTx } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import type { ImportRows } from '#db/store/import'
import { hasCredential } from '#db/store/passkeys'
import { findPresent, insertLink, insertOne, type KeyedTable, type LinkTable, reimportClient, reimportPerson } from '#db/store/reimport'
import { findTenant, lockPolicy, type Tenant, updateTenantSettings } from '#db/store/tenants'
import { findLivePermissions, findUser, lockUser, putAdministrator, updateUser } from '#db/store/users'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { ImportContext } from './context.ts'
import { enrolImported, factorsByOwner } from './enrol.ts'
import type { PlannedFactor } from './factors.ts'
import type { Plan } from './plan.ts'
import type { ReportNotes } from './report.ts'

type Row = { readonly id: string; readonly createdAt?: Date | undefined } & Readonly<Record<string, unknown>>

/** In the order of their foreign keys, with the table names of the report. */
const KEYED: readonly (readonly [KeyedTable, string])[] = [
  ['projects', 'projects'],
  ['users', 'users'],
  ['groups', 'groups'],
  ['permissions', 'permissions'],
  ['roles', 'roles'],
  ['scopes', 'scopes'],
  ['serviceAccounts', 'service_accounts'],
  ['clients', 'clients'],
  ['tenantDomains', 'tenant_domains'],
  ['bindings', 'role_bindings'],
]
const LINKS: readonly (readonly [LinkTable, string, readonly [string, KeyedTable], readonly [string, KeyedTable]])[] = [
  ['members', 'user_groups', ['userId', 'users'], ['groupId', 'groups']],
  ['rolePermissions', 'role_permissions', ['roleId', 'roles'], ['permissionId', 'permissions']],
  ['scopePermissions', 'scope_permissions', ['scopeId', 'scopes'], ['permissionId', 'permissions']],
]
/** Foreign keys that must exist before a row is added. */
const REFERENCES: Readonly<Partial<Record<KeyedTable, Readonly<Record<string, KeyedTable>>>>> = {
  bindings: { roleId: 'roles', userId: 'users', serviceAccountId: 'serviceAccounts' },
}

/** The latest time that a run saw, by AuthSec's clock. Rows without a time carry that of the run, and do not count. */
export const latestMoment = ({ rows }: Plan, now: Date): Date | undefined => {
  const moments = KEYED.flatMap(([kind]) => (rows[kind] as readonly Row[]).map(({ createdAt }) => createdAt?.getTime() ?? 0))
  const known = moments.filter((at) => at !== now.getTime())
  return known.length === 0 ? undefined : new Date(Math.max(...known))
}

type Seen = { readonly here: ReadonlySet<string>; readonly added: Set<string> }
type Run = {
  readonly t: TenantTx
  readonly ctx: ImportContext
  readonly notes: ReportNotes
  readonly upTo: Date
  readonly now: Date
  readonly seen: Map<KeyedTable, Seen>
}

const exists = ({ seen }: Run, kind: KeyedTable, id: unknown): boolean => {
  const known = seen.get(kind)
  return typeof id === 'string' && known !== undefined && (known.here.has(id) || known.added.has(id))
}

const adoptRow = async ({ t }: Run, kind: KeyedTable, row: Row): Promise<void> => {
  if (kind === 'users') await reimportPerson(t, row as unknown as ImportRows['users'][number])
  if (kind === 'clients') await reimportClient(t, { id: row.id, active: row.active !== false, createdAt: row.createdAt ?? new Date(0) })
}

const addRow = async (run: Run, kind: KeyedTable, table: string, row: Row): Promise<boolean> => {
  const { t, notes, upTo, now } = run
  const isNew = row.createdAt !== undefined && row.createdAt > upTo && row.createdAt.getTime() !== now.getTime()
  const hasReferences = Object.entries(REFERENCES[kind] ?? {}).every(
    ([name, of]) => row[name] === null || row[name] === undefined || exists(run, of, row[name]),
  )
  if (!isNew) notes.unchanged(table, row.id, 'gone_here_since')
  else if (!hasReferences) notes.refused(table, row.id, 'end_missing_here')
  // A default client exists already.
  else if (!(await insertOne(t, kind, kind === 'clients' ? { ...row, isDefault: false } : row))) notes.refused(table, row.id, 'in_conflict')
  else {
    await adoptRow(run, kind, row)
    notes.taken(table, row.id)
    return true
  }
  return false
}

const addRows = async (run: Run, kind: KeyedTable, table: string, rows: readonly Row[]): Promise<void> => {
  const here = await findPresent(
    run.t,
    kind,
    rows.map(({ id }) => id),
  )
  const added = new Set<string>()
  run.seen.set(kind, { here, added })
  for (const row of rows) {
    if (here.has(row.id)) run.notes.unchanged(table, row.id, 'exists')
    else if (await addRow(run, kind, table, row)) added.add(row.id)
  }
}

/** A link has no time: it is new when one of its ends is; otherwise it was imported, or removed here, before. */
const addLinks = async (run: Run, [kind, table, [left, lefts], [right, rights]]: (typeof LINKS)[number], rows: readonly Row[]): Promise<void> => {
  for (const row of rows) {
    const [a, b] = [String(row[left]), String(row[right])]
    const isNew = run.seen.get(lefts)?.added.has(a) === true || run.seen.get(rights)?.added.has(b) === true
    const id = `${a}/${b}`
    if (!isNew) run.notes.unchanged(table, id, 'as_it_is_here')
    else if (!exists(run, lefts, a) || !exists(run, rights, b)) run.notes.refused(table, id, 'end_missing_here')
    else if (await insertLink(run.t, kind, row)) run.notes.taken(table, id)
  }
}

/** Adds new holders of an administrator's binding to the administrators' directory. */
const listNewAdministrators = async ({ t, ctx, now, seen }: Run, { rows }: Plan): Promise<void> => {
  const bound = new Set(rows.bindings.flatMap(({ id, userId }) => (seen.get('bindings')?.added.has(id) && userId ? [userId] : [])))
  for (const userId of bound) {
    const user = await findUser(t, userId)
    if (user === undefined || !user.active || !(await findLivePermissions(t, userId, now)).includes('admin:access')) continue
    await putAdministrator(t, { emailHash: emailHash(ctx, user.email), userId, provedAt: user.emailVerifiedAt })
  }
}

/**
 * True for a person added in this run, or imported earlier without a factor and not signed in since: only a password reset ends that state. Any other person
 * without a factor had it removed here.
 */
const awaitsFactors = async ({ t, seen }: Run, plan: Plan, userId: string): Promise<boolean> => {
  if (seen.get('users')?.added.has(userId) === true) return true
  const imported = plan.rows.users.find(({ id }) => id === userId)
  const here = await lockUser(t, userId)
  const isWaiting = here?.passwordResetRequired === true && here.deletedAt === null && imported?.passwordResetRequired === false
  return isWaiting && (await findFactors(t, userId)).length === 0
}

const addFactors = async (run: Run, plan: Plan): Promise<number> => {
  const { t, ctx, notes } = run
  const here = await findPresent(
    t,
    'factors',
    plan.factors.map(({ id }) => id),
  )
  const wanted: PlannedFactor[] = []
  for (const [userId, factors] of factorsByOwner(plan.factors)) {
    const awaits = exists(run, 'users', userId) && (await awaitsFactors(run, plan, userId))
    for (const factor of factors) {
      if (here.has(factor.id)) notes.unchanged(factor.table, factor.id, 'exists')
      else if (!exists(run, 'users', userId)) notes.refused(factor.table, factor.id, 'end_missing_here')
      else if (!awaits) notes.unchanged(factor.table, factor.id, 'as_it_is_here')
      else if (factor.kind === 'webauthn' && (await hasCredential(t, factor.credentialId)))
        notes.refused(factor.table, factor.id, 'credential_exists')
      else {
        notes.taken(factor.table, factor.id)
        wanted.push(factor)
      }
    }
  }
  const owners = factorsByOwner(wanted)
  const people = plan.rows.users.filter(({ id }) => owners.has(id))
  for (const { id, passwordResetRequired } of people) await updateUser(t, id, { passwordResetRequired })
  await enrolImported(t, ctx, people, wanted, plan.codesLost)
  return wanted.length
}

/** Returns how many rows were added. */
export const reimport = async (t: TenantTx, ctx: ImportContext, plan: Plan, notes: ReportNotes): Promise<number> => {
  await lockPolicy(t)
  const tenant = (await findTenant(t)) as Tenant
  const now = ctx.clock.now()
  const upTo = tenant.settings.importedUpTo === undefined ? tenant.createdAt : new Date(tenant.settings.importedUpTo)
  const run: Run = { t, ctx, notes, upTo, now, seen: new Map() }
  notes.unchanged('tenants', t.tenantId, 'exists')
  for (const [kind, table] of KEYED) await addRows(run, kind, table, plan.rows[kind] as readonly Row[])
  for (const link of LINKS) await addLinks(run, link, plan.rows[link[0]] as unknown as readonly Row[])
  const factors = await addFactors(run, plan)
  const after = { ...Object.fromEntries([...run.seen].map(([kind, { added }]) => [kind as string, added.size])), factors }
  const count = Object.values(after).reduce((sum, of) => sum + of, 0)
  if (count === 0) return 0
  await listNewAdministrators(run, plan)
  const latest = latestMoment(plan, now)
  if (latest !== undefined && latest > upTo) await updateTenantSettings(t, { ...tenant.settings, importedUpTo: latest.toISOString() }, now)
  await recordEvent(t, ctx, { event: 'tenant.imported', actor: bySystem, target: { type: 'tenant', id: t.tenantId }, after })
  return count
}
