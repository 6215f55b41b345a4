// The statements of a sign-in (hot path): one read before the password is checked, and one write that begins the session only if the data read
// before have not changed; one write for a wrong password. sign-in.test.ts compares them with the tables.

import { type Column, column, columns, moment, nullable, optional, type RowOf, statement } from '../engine/statement.ts'
import { runStatement, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { outboxMessages, outboxQueue } from '../tables/operations.ts'
import { sessions } from '../tables/sessions.ts'
import {
  auditEventsJson,
  BEFORE_DEADLINE,
  type EventParameters,
  eventParameters,
  INSERT_AUDIT_EVENTS,
  type NewAuditRow,
  type PreparedAuditEvents,
} from './audit-events.ts'
import type { DataKey } from './data-keys.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'
import { LIVE_PERMISSIONS, LIVE_ROLE_NAMES } from './live-bindings.ts'
import type { NewSession } from './sessions.ts'
import type { Tenant } from './tenants.ts'
import type { DelayRule, FactorKind, User } from './users.ts'

/** The person's data for a sign-in. */
const ACCOUNT = columns({
  tenantId: column<string>('u.tenant_id'),
  id: column<string>('u.id'),
  clientId: column<string | null>('u.client_id'),
  projectId: column<string | null>('u.project_id'),
  email: column<string>('u.email'),
  emailVerifiedAt: nullable(moment('u.email_verified_at')),
  passwordHash: column<string | null>('u.password_hash'),
  temporaryPassword: column<boolean>('u.temporary_password'),
  temporaryPasswordExpiresAt: nullable(moment('u.temporary_password_expires_at')),
  passwordResetRequired: column<boolean>('u.password_reset_required'),
  provider: column<string>('u.provider'),
  isSyncedUser: column<boolean>('u.is_synced_user'),
  active: column<boolean>('u.active'),
  failedAttempts: column<number>('u.failed_attempts'),
  lockedUntil: nullable(moment('u.locked_until')),
  validFrom: moment('u.valid_from'),
  lastLoginAt: nullable(moment('u.last_login_at')),
  deletedAt: nullable(moment('u.deleted_at')),
  name: column<string>('u.name'),
  language: column<User['language']>('u.language'),
})
export type Account = RowOf<typeof ACCOUNT>

/** The tenant's data for a sign-in. */
const TENANT = columns({
  tenantId: column<string>('t.tenant_id'),
  name: column<string>('t.name'),
  domain: column<string>('t.domain'),
  status: column<Tenant['status']>('t.status'),
  settings: column<Tenant['settings']>('t.settings'),
})
export type SignInTenant = RowOf<typeof TENANT>

const distinct = <T>(list: Column<readonly T[]>): Column<readonly T[]> => ({ ...list, read: (value) => [...new Set(list.read(value))] })

const PARTS = (user: string) =>
  columns({
    /** Kinds of confirmed second factors, the primary one first. */
    kinds: distinct(
      column<readonly FactorKind[]>(`array(
    select f.kind from authsec.factors f where f.tenant_id = :tenantId and f.user_id = ${user} and f.confirmed_at is not null
    order by f.is_primary desc, f.created_at)`),
    ),
    defaultClientId: optional(column<string>('(select c.id from authsec.clients c where c.tenant_id = :tenantId and c.is_default limit 1)')),
    /** From tenant-wide, live, unconditional bindings. */
    roles: column<string[]>(LIVE_ROLE_NAMES(user, ':now')),
  })
/** The tenant's requirements for a session, and the contents of the session. */
export type SessionRequirements = RowOf<ReturnType<typeof PARTS>> & { readonly tenant: SignInTenant | undefined }

/** For `u`, `t` and `PARTS` as `o`: a digest of everything that decides whether there is a session, and its contents. */
const VERSION = `encode(sha256(convert_to(row(t.domain, t.status, t.settings, u.id, u.email, u.email_verified_at, u.provider, u.client_id, u.project_id, u.password_hash, u.temporary_password,
  u.password_reset_required, u.active, u.valid_from, u.deleted_at, o.kinds, o."defaultClientId", o.roles)::text, 'UTF8')), 'hex')`
const OF_PERSON = PARTS('u.id')
const FROM_PARTS = `cross join lateral (select ${OF_PERSON.list} offset 0) o`

const SNAPSHOT = columns({
  tenant: optional(TENANT),
  user: optional(ACCOUNT),
  parts: OF_PERSON.within('o'),
  version: column<string>(VERSION),
})
type SnapshotRow = RowOf<typeof SNAPSHOT>
/** The data that decides a sign-in. `version` changes with any of it. */
export type SignInSnapshot = { readonly user: Account | undefined; readonly requirements: SessionRequirements; readonly version: string }
const snapshotOf = ({ tenant, user, parts, version }: SnapshotRow): SignInSnapshot => ({ user, requirements: { ...parts, tenant }, version })

const FIND_SNAPSHOT = statement<{ userId: string; now: Date }>(`select ${SNAPSHOT.list}
from authsec.tenants t join authsec.users u on u.tenant_id = t.tenant_id and u.id = :userId ${FROM_PARTS}
where t.tenant_id = :tenantId`).returning(SNAPSHOT)

export const findSignInSnapshot = async (t: TenantDb, userId: string, now: Date): Promise<SignInSnapshot | undefined> => {
  const row = await FIND_SNAPSHOT.first(t, { userId, now })
  return row && snapshotOf(row)
}

type WrappedKey = { readonly [K in 'id' | 'subject_id' | 'wrapped' | 'master_key_id' | 'created_at']: string }
const keyOf = (tenantId: TenantId, key: WrappedKey): DataKey => ({
  tenantId,
  id: key.id,
  subjectId: key.subject_id,
  wrapped: new Uint8Array(Buffer.from(key.wrapped, 'hex')),
  masterKeyId: key.master_key_id,
  createdAt: new Date(key.created_at),
})

const BEFORE_PASSWORD = columns({
  snapshot: SNAPSHOT,
  /** The known browser, if any. */
  device: optional(
    columns({
      userId: column<string>('d.user_id'),
      failedAttempts: column<number>('d.failed_attempts'),
      lockedUntil: nullable(moment('d.locked_until')),
    }),
  ),
  hasAdminAccess: column<boolean>(`'admin:access' = any (${LIVE_PERMISSIONS('u.id', ':now')})`),
  /** Of the tenant and of the person: the keys that seal the audit events of this sign-in. */
  keys: column<readonly WrappedKey[]>(`coalesce((
    select json_agg(json_build_object('id', k.id, 'subject_id', k.subject_id, 'wrapped', encode(k.wrapped, 'hex'), 'master_key_id', k.master_key_id,
      'created_at', k.created_at)) from authsec.data_keys k where k.tenant_id = :tenantId and k.subject_id in (:tenantId, u.id)), '[]')`),
})
type BeforeRow = RowOf<typeof BEFORE_PASSWORD>
export type BeforePassword = Pick<BeforeRow, 'device' | 'hasAdminAccess'> & {
  readonly tenant: SignInTenant | undefined
  readonly user: Account | undefined
  readonly keys: readonly DataKey[]
  readonly snapshot: SignInSnapshot
}

const FIND_BEFORE = statement<{ email: string; deviceHash: Uint8Array | undefined; now: Date }>(`select ${BEFORE_PASSWORD.list}
from (select) one
left join authsec.tenants t on t.tenant_id = :tenantId
left join authsec.users u on u.tenant_id = :tenantId and u.email = :email
left join authsec.known_devices d on d.tenant_id = :tenantId and d.user_id = u.id and d.device_hash = :deviceHash
${FROM_PARTS}`).returning(BEFORE_PASSWORD)

/** Everything that decides a password step, read in one statement that is the same for every address. */
export const findBeforePassword = async (t: TenantDb, email: string, deviceHash: Uint8Array | undefined, now: Date): Promise<BeforePassword> => {
  const row = await FIND_BEFORE.first(t, { email, deviceHash, now })
  if (row === undefined) throw new Error('A statement without a condition answered no row.')
  const { snapshot, keys, ...beside } = row
  const { tenant, user } = snapshot
  return { ...beside, tenant, user, keys: keys.map((key) => keyOf(t.tenantId, key)), snapshot: snapshotOf(snapshot) }
}

const HOLD = statement<{ userId: string }>(
  `select ${ACCOUNT.list} from authsec.users u where u.tenant_id = :tenantId and u.id = :userId for no key update`,
).returning(ACCOUNT)

/** As `lockUser`, with the columns that a sign-in needs. */
export const lockAccount = (t: TenantTx, userId: string): Promise<Account | undefined> => HOLD.first(t, { userId })

const REQUIRED_PARTS = PARTS(':userId')
const REQUIREMENTS = columns({ tenant: TENANT, parts: REQUIRED_PARTS })
const FIND_REQUIREMENTS = statement<{ userId: string; now: Date }>(
  `select ${REQUIREMENTS.list} from authsec.tenants t where t.tenant_id = :tenantId`,
).returning(REQUIREMENTS)

/** The tenant's current requirements for the person, and the contents of a session of the person. */
export const findSessionRequirements = async (t: TenantDb, userId: string, now: Date): Promise<SessionRequirements> => {
  const row = await FIND_REQUIREMENTS.first(t, { userId, now })
  return row === undefined ? { tenant: undefined, kinds: [], defaultClientId: undefined, roles: [] } : { ...row.parts, tenant: row.tenant }
}

/**
 * Locks the account, and then reads the requirements: sent together, because a connection answers in order, and each statement sees earlier commits.
 */
export const lockAccountAndFindRequirements = async (
  t: TenantTx,
  userId: string,
  now: Date,
): Promise<readonly [Account | undefined, SessionRequirements]> => Promise.all([lockAccount(t, userId), findSessionRequirements(t, userId, now)])

const IS_CURRENT = `exists (select from authsec.tenants t join authsec.users u on u.tenant_id = t.tenant_id and u.id = :userId ${FROM_PARTS}
  where t.tenant_id = :tenantId and ${VERSION} = :version)`
const CHECK = statement<{ userId: string; version: string; now: Date }>(`select where ${IS_CURRENT}`)

/** Locks the person until the transaction ends. False when the snapshot of that version is out of date. */
export const lockSnapshot = async (t: TenantTx, userId: string, version: string, now: Date): Promise<boolean> =>
  (await CHECK.count(t, { userId, version, now }, (check) => t.run({ ...check, first: [HOLD.bind(t, { userId })] }))) === 1

export type SessionStart = {
  readonly session: NewSession
  /** The counter of sign-ins and its maximum; those of other windows begin with `prefix`. */
  readonly quota: { readonly prefix: string; readonly kind: string; readonly max: number }
  readonly emailHash: Uint8Array
  /** Undefined when the browser is not to be remembered. */
  readonly deviceHash: Uint8Array | undefined
  /** The previous hash of a known browser, which the new one replaces. */
  readonly spentDeviceHash: Uint8Array | undefined
  /** Of the snapshot on which the session was decided; undefined where the transaction holds the lock of the person. */
  readonly version?: string | undefined
  readonly at: Date
}
type BeginningParameters = Omit<SessionStart, 'session' | 'quota' | 'at'> &
  SessionStart['quota'] &
  EventParameters & { readonly userId: string; readonly session: string; readonly now: Date }

const BEGUN = columns({ isCurrent: column<boolean>('exists (select from current)'), isCounted: column<boolean>('exists (select from counted)') })
const BEGIN = statement<BeginningParameters>(`with current as (
  select from (select) one where ${BEFORE_DEADLINE(':until')} and case when :version::text is null then true else ${IS_CURRENT} end
), counted as (
  insert into authsec.tenant_usage as q (tenant_id, kind, count) select :tenantId::uuid, :kind::text, 1 from current where :max::int >= 1
  on conflict (tenant_id, kind) do update set count = q.count + 1 where q.count + 1 <= :max::int
  returning q.count
), swept as (
  delete from authsec.tenant_usage where tenant_id = :tenantId and kind like :prefix::text || '%' and kind <> :kind and exists (select from counted where count = 1)
), session as (
  ${INSERT_FROM(sessions, `counted, ${JSON_RECORD(sessions, ':session')}`)}
), person as (
  update authsec.users set last_login_at = :now::timestamptz, failed_attempts = 0, locked_until = null
  where tenant_id = :tenantId and id = :userId and exists (select from counted)
), listed as (
  update authsec.administrator_directory set last_used_at = :now::timestamptz
  where email_hash = :emailHash and tenant_id = :tenantId and exists (select from counted)
), forgotten as (
  delete from authsec.known_devices where tenant_id = :tenantId and user_id = :userId and device_hash = :spentDeviceHash and exists (select from counted)
), remembered as (
  insert into authsec.known_devices (tenant_id, user_id, device_hash, last_used_at)
  select :tenantId::uuid, :userId::uuid, :deviceHash::bytea, :now::timestamptz from counted where :deviceHash::bytea is not null
  on conflict (tenant_id, user_id, device_hash) do update set failed_attempts = 0, locked_until = null, last_used_at = excluded.last_used_at
), recorded as (
  ${INSERT_AUDIT_EVENTS('counted', ':records')}
) select ${BEGUN.list}`).returning(BEGUN)

/**
 * Counts the sign-in, and writes the session, the times of the last sign-in, the known browser and the events. Nothing is written when the quota is used up,
 * when the snapshot is out of date, or when it is too late for the events. The counter is locked until the transaction ends, so two requests cannot both be
 * the last.
 */
export const insertSessionStart = async (
  t: TenantDb,
  userId: string,
  b: SessionStart,
  events: PreparedAuditEvents,
): Promise<'begun' | 'changed' | 'used up'> => {
  const { session, quota, at, ...rest } = b
  const record = jsonRecord(sessions, { ...session, tenantId: t.tenantId })
  const parameters = { ...rest, ...quota, ...eventParameters(t, events), version: b.version, userId, session: record, now: at }
  // The statement after the lock sees commits made while it waited.
  const first = b.version === undefined ? [] : [HOLD.bind(t, { userId })]
  const begun = await BEGIN.first(t, parameters, (s) => runStatement(t, { ...s, first }))
  return begun?.isCurrent !== true ? 'changed' : begun.isCounted ? 'begun' : 'used up'
}

/** The event and mail that are written when the account becomes locked. */
export type Announcement = {
  readonly event: NewAuditRow
  readonly message: { readonly id: string; readonly sealed: Uint8Array; readonly createdAt: Date }
}

const LOCKED_UNTIL = `case when c.failed_attempts + 1 < :freeAttempts::int then c.locked_until else :now::timestamptz
  + make_interval(secs => least(:maxDelaySeconds::int, :firstDelaySeconds::int * power(2, least(c.failed_attempts + 1 - :freeAttempts::int, 20)))) end`
type Announced = { readonly records: string; readonly message: string; readonly queued: string }
const COUNT_WRONG = statement<Omit<WrongPassword, 'announcement' | 'delay'> & DelayRule & Announced>(`with counted as (
  update authsec.users c set failed_attempts = c.failed_attempts + 1, locked_until = ${LOCKED_UNTIL}
  where c.tenant_id = :tenantId and c.id = :userId and :deviceHash::bytea is null returning c.failed_attempts
), of_device as (
  update authsec.known_devices c set failed_attempts = c.failed_attempts + 1, locked_until = ${LOCKED_UNTIL}
  where c.tenant_id = :tenantId and c.user_id = :userId and c.device_hash = :deviceHash
), fell as (select from counted where failed_attempts = :freeAttempts
), event as (
  ${INSERT_AUDIT_EVENTS('fell', ':records')}
), message as (
  ${INSERT_FROM(outboxMessages, `fell, ${JSON_RECORD(outboxMessages, ':message')}`)}
), queued as (
  ${INSERT_FROM(outboxQueue, `fell, ${JSON_RECORD(outboxQueue, ':queued')}`)}
) select from fell`)

export type WrongPassword = {
  /** The person; an unused id if nothing is counted. */
  readonly userId: string
  /** A known browser has a budget of its own. */
  readonly deviceHash: Uint8Array | undefined
  readonly now: Date
  readonly delay: DelayRule
  readonly announcement: Announcement
}

/**
 * Counts a wrong password; the delay doubles from the last free attempt on. One statement, so that parallel attempts all count; it is the same
 * whether the person exists or not and whether the account becomes locked or not. True when it became locked.
 */
export const countWrongPassword = async (t: TenantTx, { announcement, delay, ...wrong }: WrongPassword): Promise<boolean> => {
  const { tenantId } = t
  const { event, message } = announcement
  const rows = await COUNT_WRONG.count(t, {
    ...wrong,
    ...delay,
    records: auditEventsJson(t, [event]),
    message: jsonRecord(outboxMessages, { ...message, tenantId, kind: 'mail' }),
    queued: jsonRecord(outboxQueue, { tenantId, id: message.id, dueAt: message.createdAt }),
  })
  return rows === 1
}
