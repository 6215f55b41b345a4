// Imports people and projects.
import type { ImportRows } from '#db/store/import'
import { normaliseEmail } from '#shared/kernel/email'
import { isReadableHash } from '#shared/platform/crypto/password-hash'
import type { ReportNotes } from './report.ts'
import { flagField, momentField, type SourceRow, textField, uuidField } from './source.ts'

export type AddressRule = 'signed-in' | 'none'

/** Orders people who share an address except for case: active before inactive, then by last sign-in. */
const preferred = (a: SourceRow, b: SourceRow): number => {
  const rank = (row: SourceRow): readonly number[] => [
    row.deleted_at === null || row.deleted_at === undefined ? 1 : 0,
    flagField(row, 'active') ? 1 : 0,
    momentField(row, 'last_login')?.getTime() ?? 0,
    -(momentField(row, 'created_at')?.getTime() ?? 0),
  ]
  const [x, y] = [rank(a), rank(b)]
  const at = x.findIndex((value, index) => value !== y[index])
  return at === -1 ? String(a.id).localeCompare(String(b.id)) : (y[at] ?? 0) - (x[at] ?? 0)
}

type Known = { readonly clientIds: ReadonlySet<string>; readonly projectIds: ReadonlySet<string> }
type Options = Known & {
  readonly addresses: AddressRule
  readonly now: Date
  readonly notes: ReportNotes
  /** People with a factor in AuthSec, and those of them with an imported one. */
  readonly factors: { readonly had: ReadonlySet<string>; readonly usable: ReadonlySet<string> }
}

const onlyKnown = (id: string | undefined, known: ReadonlySet<string>): string | null => (id !== undefined && known.has(id) ? id : null)

const passwordOf = (row: SourceRow): { readonly hash: string | null; readonly reasons: readonly string[] } => {
  const stored = textField(row, 'password_hash')
  if (stored === undefined || isReadableHash(stored)) return { hash: stored ?? null, reasons: [] }
  return { hash: null, reasons: ['password_unreadable'] }
}

/** The address counts as proved only after a sign-in in AuthSec. */
const provedAt = (row: SourceRow, rule: AddressRule): Date | null => (rule === 'signed-in' ? (momentField(row, 'last_login') ?? null) : null)

type Person = ImportRows['users'][number]

const personOf = (row: SourceRow, id: string, email: string, taken: Set<string>, options: Options): Person => {
  const { now, notes } = options
  const { hash, reasons } = passwordOf(row)
  const clientId = onlyKnown(uuidField(row, 'client_id'), options.clientIds)
  const external = textField(row, 'external_id', 500)
  const externalKey = `${clientId} ${external}`
  const hasExternal = external !== undefined && !taken.has(externalKey)
  taken.add(externalKey)
  const lostFactors =
    (flagField(row, 'mfa_enabled') || flagField(row, 'mfa_verified') || options.factors.had.has(id)) && !options.factors.usable.has(id)
  notes.taken(
    'users',
    id,
    ...reasons,
    ...(lostFactors ? ['factor_must_be_enrolled_again'] : []),
    ...(external !== undefined && !hasExternal ? ['external_id_duplicate'] : []),
    ...(clientId === null && uuidField(row, 'client_id') !== undefined ? ['client_unknown'] : []),
  )
  const createdAt = momentField(row, 'created_at') ?? now
  return {
    id,
    email,
    clientId,
    projectId: onlyKnown(uuidField(row, 'project_id'), options.projectIds),
    emailVerifiedAt: provedAt(row, options.addresses),
    name: textField(row, 'name', 200) ?? '',
    username: textField(row, 'username', 200) ?? null,
    passwordHash: hash,
    temporaryPassword: flagField(row, 'temporary_password'),
    temporaryPasswordExpiresAt: momentField(row, 'temporary_password_expires_at') ?? null,
    // Losing a second factor must not make the password sufficient: the mailbox must be proved first.
    passwordResetRequired: flagField(row, 'password_reset_required') || flagField(row, 'password_change_required') || lostFactors,
    provider: textField(row, 'provider', 100) ?? 'local',
    providerId: textField(row, 'provider_id', 500) ?? null,
    externalId: hasExternal ? external : null,
    syncSource: textField(row, 'sync_source', 100) ?? null,
    isSyncedUser: flagField(row, 'is_synced_user'),
    lastSyncAt: momentField(row, 'last_sync_at') ?? null,
    active: row.active !== false,
    isPrimaryAdmin: flagField(row, 'is_primary_admin'),
    announcedAt: createdAt,
    lastLoginAt: momentField(row, 'last_login') ?? null,
    validFrom: now,
    createdAt,
    updatedAt: momentField(row, 'updated_at') ?? createdAt,
    deletedAt: momentField(row, 'deleted_at') ?? null,
  }
}

export const planPeople = (rows: readonly SourceRow[], options: Options): readonly Person[] => {
  const seen = new Set<string>()
  const ids = new Set<string>()
  const externals = new Set<string>()
  return rows.toSorted(preferred).flatMap((row) => {
    const id = uuidField(row, 'id')
    const email = normaliseEmail(textField(row, 'email') ?? '')
    const reason =
      id === undefined
        ? 'id_invalid'
        : email === undefined
          ? 'email_invalid'
          : seen.has(email)
            ? 'email_duplicate'
            : ids.has(id)
              ? 'duplicate'
              : undefined
    if (reason !== undefined || id === undefined || email === undefined) {
      options.notes.refused('users', id ?? null, reason ?? 'id_invalid')
      return []
    }
    seen.add(email)
    ids.add(id)
    return [personOf(row, id, email, externals, options)]
  })
}

export const planProjects = (rows: readonly SourceRow[], userIds: ReadonlySet<string>, now: Date, notes: ReportNotes): ImportRows['projects'] =>
  rows.flatMap((row) => {
    const [id, name] = [uuidField(row, 'id'), textField(row, 'name', 200)]
    if (id === undefined || name === undefined) {
      notes.refused('projects', id ?? null, id === undefined ? 'id_invalid' : 'name_missing')
      return []
    }
    notes.taken('projects', id, ...(uuidField(row, 'tenant_id') === undefined ? ['tenant_of_its_creator'] : []))
    const createdAt = momentField(row, 'created_at') ?? now
    return [
      {
        id,
        name,
        description: textField(row, 'description', 2000) ?? '',
        userId: onlyKnown(uuidField(row, 'user_id'), userIds),
        active: row.active !== false,
        createdAt,
        updatedAt: momentField(row, 'updated_at') ?? createdAt,
        deletedAt: momentField(row, 'deleted_at') ?? null,
      },
    ]
  })
