// The statements of a sign-in, written by hand and prepared by the driver (hot path): one read before the password is judged; then the person is held, and one
// write does all that begins with a session, sent together. Where that must not be, what is owed is read while the person is held, and then written.
// One write for a wrong password. Beside the hash they are what a sign-in costs.

import { runStatement, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { outboxMessages, outboxQueue } from '../tables/operations.ts'
import { sessions } from '../tables/sessions.ts'
import { auditEventsJson, BEFORE_DEADLINE, INSERT_AUDIT_EVENTS, type NewAuditRow, type PreparedAuditEvents } from './audit-events.ts'
import type { DataKey } from './data-keys.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'
import { LIVE_PERMISSIONS, LIVE_ROLE_NAMES } from './principals.ts'
import type { NewSession } from './sessions.ts'
import type { Tenant } from './tenants.ts'
import type { DelayRule, FactorKind, KnownDevice, User } from './users.ts'

/** What a sign-in needs to know of a person. */
export type Account = Pick<
  User,
  | 'tenantId'
  | 'id'
  | 'clientId'
  | 'projectId'
  | 'email'
  | 'emailVerifiedAt'
  | 'name'
  | 'language'
  | 'passwordHash'
  | 'temporaryPassword'
  | 'temporaryPasswordExpiresAt'
  | 'passwordResetRequired'
  | 'provider'
  | 'isSyncedUser'
  | 'active'
  | 'failedAttempts'
  | 'lockedUntil'
  | 'validFrom'
  | 'lastLoginAt'
  | 'deletedAt'
>
/** What it needs to know of the tenant. */
export type SignInTenant = Pick<Tenant, 'tenantId' | 'name' | 'domain' | 'status' | 'settings'>

type Cells = readonly unknown[]
const moment = (value: unknown): Date | null => (value === null ? null : new Date(value as string))

const ACCOUNT_COLUMNS = `u.id, u.client_id, u.project_id, u.email, u.email_verified_at, u.password_hash, u.temporary_password,
  u.temporary_password_expires_at, u.password_reset_required, u.provider, u.is_synced_user, u.active, u.failed_attempts, u.locked_until, u.valid_from,
  u.last_login_at, u.deleted_at, u.name, u.language`
const ACCOUNT_CELLS = 19

const accountOf = (t: TenantDb, cells: Cells): Account | undefined =>
  typeof cells[0] !== 'string'
    ? undefined
    : {
        tenantId: t.tenantId,
        id: cells[0],
        clientId: cells[1] as string | null,
        projectId: cells[2] as string | null,
        email: cells[3] as string,
        emailVerifiedAt: moment(cells[4]),
        passwordHash: cells[5] as string | null,
        temporaryPassword: cells[6] as boolean,
        temporaryPasswordExpiresAt: moment(cells[7]),
        passwordResetRequired: cells[8] as boolean,
        provider: cells[9] as string,
        isSyncedUser: cells[10] as boolean,
        active: cells[11] as boolean,
        failedAttempts: cells[12] as number,
        lockedUntil: moment(cells[13]),
        validFrom: new Date(cells[14] as string),
        lastLoginAt: moment(cells[15]),
        deletedAt: moment(cells[16]),
        name: cells[17] as string,
        language: cells[18] as Account['language'],
      }

const DOOR_COLUMNS = 't.name, t.domain, t.status, t.settings'
const DOOR_CELLS = 4
const doorOf = (t: TenantDb, [name, domain, status, settings]: Cells): SignInTenant | undefined =>
  typeof name !== 'string'
    ? undefined
    : {
        tenantId: t.tenantId,
        name,
        domain: domain as string,
        status: status as SignInTenant['status'],
        settings: settings as SignInTenant['settings'],
      }

export type BeforePassword = {
  readonly tenant: SignInTenant | undefined
  readonly user: Account | undefined
  /** The browser, where the person is known from it. */
  readonly device: Pick<KnownDevice, 'failedAttempts' | 'lockedUntil'> | undefined
  readonly hasAdminAccess: boolean
  /** Of the tenant and of the person: what the record of this sign-in is sealed under. */
  readonly keys: readonly DataKey[]
  /** What a session would be made of, if nothing changes meanwhile. */
  readonly requirements: SessionRequirements
  /** Of all that was judged: whether it is so still, `insertSessionStartIfUnchanged` finds by it. */
  readonly snapshot: string | undefined
}

export type SessionRequirements = {
  readonly tenant: SignInTenant | undefined
  /** Kinds of confirmed second factors, the primary one first. */
  readonly kinds: readonly FactorKind[]
  readonly defaultClientId: string | undefined
  /** Of tenant-wide, live bindings without conditions. */
  readonly roles: readonly string[]
}

const OWED_COLUMNS = (user: string, now: string): string => `array(
    select f.kind from authsec.factors f where f.tenant_id = $1 and f.user_id = ${user} and f.confirmed_at is not null order by f.is_primary desc, f.created_at) as kinds,
  (select c.id from authsec.clients c where c.tenant_id = $1 and c.is_default limit 1) as default_client_id,
  ${LIVE_ROLE_NAMES(user, now)} as roles`
const OWED_CELLS = 3

const owedOf = (tenant: SignInTenant | undefined, [kinds, defaultClientId, roles]: Cells): SessionRequirements => ({
  tenant,
  kinds: [...new Set((kinds ?? []) as FactorKind[])],
  defaultClientId: (defaultClientId ?? undefined) as string | undefined,
  roles: (roles ?? []) as string[],
})

/** Everything that decides whether there is a session, and what it says, as one short text. */
const JUDGED = `encode(sha256(convert_to(row(t.domain, t.status, t.settings, u.id, u.email, u.email_verified_at, u.provider, u.client_id, u.project_id, u.password_hash, u.temporary_password,
  u.password_reset_required, u.active, u.valid_from, u.deleted_at, o.kinds, o.default_client_id, o.roles)::text, 'UTF8')), 'hex')`

type KeyCells = {
  readonly id: string
  readonly subject_id: string
  readonly wrapped: string
  readonly master_key_id: string
  readonly created_at: string
}
const keyOf = (t: TenantDb, cells: KeyCells): DataKey => ({
  tenantId: t.tenantId,
  id: cells.id,
  subjectId: cells.subject_id,
  wrapped: new Uint8Array(Buffer.from(cells.wrapped, 'hex')),
  masterKeyId: cells.master_key_id,
  createdAt: new Date(cells.created_at),
})

const BEFORE_PASSWORD = `select ${DOOR_COLUMNS}, ${ACCOUNT_COLUMNS}, o.kinds, o.default_client_id, o.roles, ${JUDGED},
  d.user_id is not null, d.failed_attempts, d.locked_until,
  'admin:access' = any (${LIVE_PERMISSIONS('u.id', '$4')}),
  (select json_agg(json_build_object('id', k.id, 'subject_id', k.subject_id, 'wrapped', encode(k.wrapped, 'hex'), 'master_key_id', k.master_key_id,
    'created_at', k.created_at)) from authsec.data_keys k where k.tenant_id = $1 and k.subject_id in ($1, u.id))
from (select) one
left join authsec.tenants t on t.tenant_id = $1
left join authsec.users u on u.tenant_id = $1 and u.email = $2
left join authsec.known_devices d on d.tenant_id = $1 and d.user_id = u.id and d.device_hash = $3
cross join lateral (select ${OWED_COLUMNS('u.id', '$4')} offset 0) o`

/** Everything that is judged beside a password, in one statement whoever it is. */
export const findBeforePassword = async (t: TenantDb, email: string, deviceHash: Uint8Array | undefined, now: Date): Promise<BeforePassword> => {
  const [row = []] = (await t.run({
    text: BEFORE_PASSWORD,
    params: [t.tenantId, email, deviceHash ?? null, now.toISOString()],
    arrays: true,
  })) as Cells[]
  const owed = row.slice(DOOR_CELLS + ACCOUNT_CELLS)
  const [judged, isKnown, failedAttempts, lockedUntil, hasAdminAccess, keys] = owed.slice(OWED_CELLS)
  const tenant = doorOf(t, row)
  return {
    tenant,
    requirements: owedOf(tenant, owed),
    snapshot: judged as string | undefined,
    user: accountOf(t, row.slice(DOOR_CELLS)),
    device: isKnown ? { failedAttempts: failedAttempts as number, lockedUntil: moment(lockedUntil) } : undefined,
    hasAdminAccess: hasAdminAccess === true,
    keys: ((keys ?? []) as KeyCells[]).map((cells) => keyOf(t, cells)),
  }
}

const HOLD = `select ${ACCOUNT_COLUMNS} from authsec.users u where u.tenant_id = $1 and u.id = $2 for no key update`

/** As `lockUser`, of what a sign-in needs to know. */
export const lockAccount = async (t: TenantTx, userId: string): Promise<Account | undefined> => {
  const [row = []] = (await t.run({ text: HOLD, params: [t.tenantId, userId], arrays: true })) as Cells[]
  return accountOf(t, row)
}

const OWED = `select ${DOOR_COLUMNS}, ${OWED_COLUMNS('$2', '$3')} from authsec.tenants t where t.tenant_id = $1`

/** What the tenant asks of the person now, and what a session of the person is made of. */
export const findSessionRequirements = async (t: TenantDb, userId: string, now: Date): Promise<SessionRequirements> => {
  const [row = []] = (await t.run({ text: OWED, params: [t.tenantId, userId, now.toISOString()], arrays: true })) as Cells[]
  return owedOf(doorOf(t, row), row.slice(DOOR_CELLS))
}

/** The person, held, and then what is owed: sent together, since a connection answers in order, and each statement sees what was committed when it began. */
export const lockAccountAndFindRequirements = async (
  t: TenantTx,
  userId: string,
  now: Date,
): Promise<readonly [Account | undefined, SessionRequirements]> => Promise.all([lockAccount(t, userId), findSessionRequirements(t, userId, now)])

export type SessionStart = {
  readonly session: NewSession
  /** The counter of sign-ins and how far it may go; those of other windows begin with `prefix`. */
  readonly quota: { readonly prefix: string; readonly kind: string; readonly max: number }
  readonly emailHash: Uint8Array
  /** Undefined where the browser is not to be remembered. */
  readonly deviceHash: Uint8Array | undefined
  /** The mark that this browser had until now. */
  readonly spentDeviceHash: Uint8Array | undefined
  readonly at: Date
}

/** `asJudged` names the rows that have to be there. */
const BEGINNING = (asJudged: string): string => `counted as (
  insert into authsec.tenant_usage as q (tenant_id, kind, count) select $1::uuid, $3::text, 1 from ${asJudged} where $4::int >= 1
  on conflict (tenant_id, kind) do update set count = q.count + 1 where q.count + 1 <= $4::int
  returning q.count
), swept as (
  delete from authsec.tenant_usage where tenant_id = $1 and kind like $5::text || '%' and kind <> $3 and exists (select from counted where count = 1)
), session as (
  ${INSERT_FROM(sessions, `counted, ${JSON_RECORD(sessions, '$6')}`)}
), person as (
  update authsec.users set last_login_at = $7::timestamptz, failed_attempts = 0, locked_until = null
  where tenant_id = $1 and id = $2 and exists (select from counted)
), listed as (
  update authsec.administrator_directory set last_used_at = $7::timestamptz where email_hash = $8 and tenant_id = $1 and exists (select from counted)
), forgotten as (
  delete from authsec.known_devices where tenant_id = $1 and user_id = $2 and device_hash = $9 and exists (select from counted)
), remembered as (
  insert into authsec.known_devices (tenant_id, user_id, device_hash, last_used_at) select $1::uuid, $2::uuid, $10::bytea, $7::timestamptz from counted where $10::bytea is not null
  on conflict (tenant_id, user_id, device_hash) do update set failed_attempts = 0, locked_until = null, last_used_at = excluded.last_used_at
), recorded as (
  ${INSERT_AUDIT_EVENTS('counted', '$11')}
) select count from counted`

const BEGIN = `with ${BEGINNING('(select) one')}`
const BEGIN_AS_JUDGED = `with as_judged as (
  select from authsec.tenants t join authsec.users u on u.tenant_id = t.tenant_id
  cross join lateral (select ${OWED_COLUMNS('u.id', '$7::timestamptz')} offset 0) o
  where t.tenant_id = $1 and u.id = $2 and ${JUDGED} = $12 and ${BEFORE_DEADLINE('$13')}
), ${BEGINNING('as_judged')}`

const beginningOf = (t: TenantDb, userId: string, b: SessionStart, events: readonly NewAuditRow[]): unknown[] => [
  t.tenantId,
  userId,
  b.quota.kind,
  b.quota.max,
  b.quota.prefix,
  jsonRecord(sessions, { ...b.session, tenantId: t.tenantId }),
  b.at.toISOString(),
  b.emailHash,
  b.spentDeviceHash ?? null,
  b.deviceHash ?? null,
  auditEventsJson(t, events),
]

/**
 * Counts the sign-in, and with it writes the session, when the person and the address last came, the browser they are known from, and the record. False, and
 * nothing is written, when the quota is used up. The counter is held until the transaction ends, so two cannot both be the last.
 */
export const insertSessionStart = async (t: TenantTx, userId: string, b: SessionStart, events: readonly NewAuditRow[]): Promise<boolean> => {
  const rows = await t.run({ text: BEGIN, params: beginningOf(t, userId, b, events), arrays: true })
  return rows.length === 1
}

/**
 * As `insertSessionStart`, at once: the person is held, and whoever waited for sees what was committed meanwhile. False, and nothing is written, also where
 * anything of what was judged is not as it was, or it is too late for the events.
 */
export const insertSessionStartIfUnchanged = async (
  t: TenantDb,
  userId: string,
  snapshot: string,
  b: SessionStart,
  events: PreparedAuditEvents,
): Promise<boolean> => {
  const held = { text: HOLD, params: [t.tenantId, userId] }
  const params = [...beginningOf(t, userId, b, events.rows), snapshot, events.until.toISOString()]
  return (await runStatement(t, { text: BEGIN_AS_JUDGED, params, arrays: true, first: [held] })).length === 1
}

/** What is written when the lock falls. */
export type Announcement = {
  readonly event: NewAuditRow
  readonly message: { readonly id: string; readonly sealed: Uint8Array; readonly createdAt: Date }
}

const LOCKED_UNTIL = `case when c.failed_attempts + 1 < $4::int then c.locked_until else $3::timestamptz
  + make_interval(secs => least($6::int, $5::int * power(2, least(c.failed_attempts + 1 - $4::int, 20)))) end`
const WRONG = `with counted as (
  update authsec.users c set failed_attempts = c.failed_attempts + 1, locked_until = ${LOCKED_UNTIL}
  where c.tenant_id = $1 and c.id = $2 and $7::bytea is null returning c.failed_attempts
), of_device as (
  update authsec.known_devices c set failed_attempts = c.failed_attempts + 1, locked_until = ${LOCKED_UNTIL}
  where c.tenant_id = $1 and c.user_id = $2 and c.device_hash = $7
), fell as (select from counted where failed_attempts = $4
), event as (
  ${INSERT_AUDIT_EVENTS('fell', '$8')}
), message as (
  ${INSERT_FROM(outboxMessages, `fell, ${JSON_RECORD(outboxMessages, '$9')}`)}
), queued as (
  ${INSERT_FROM(outboxQueue, `fell, ${JSON_RECORD(outboxQueue, '$10')}`)}
) select from fell`

export type WrongPassword = {
  /** Whose; an id that nobody has where none is counted. */
  readonly userId: string
  /** A browser that the person is known from has a budget of its own. */
  readonly deviceHash: Uint8Array | undefined
  readonly now: Date
  readonly delay: DelayRule
  readonly announcement: Announcement
}

/**
 * Counts a wrong password; the delay doubles from the last free attempt on. One statement, so that parallel guesses all count, and the same statement whether
 * there is such a person, whether the lock falls and is announced by it or not. True when it fell.
 */
export const countWrongPassword = async (t: TenantTx, w: WrongPassword): Promise<boolean> => {
  const { tenantId } = t
  const { event, message } = w.announcement
  const rows = await t.run({
    text: WRONG,
    params: [
      tenantId,
      w.userId,
      w.now.toISOString(),
      w.delay.freeAttempts,
      w.delay.firstDelaySeconds,
      w.delay.maxDelaySeconds,
      w.deviceHash ?? null,
      auditEventsJson(t, [event]),
      jsonRecord(outboxMessages, { ...message, tenantId, kind: 'mail' }),
      jsonRecord(outboxQueue, { tenantId, id: message.id, dueAt: message.createdAt }),
    ],
    arrays: true,
  })
  return rows.length === 1
}
