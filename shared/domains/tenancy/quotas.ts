// How much of each kind a tenant may have or do, unless its settings override it.
// Rows and sign-ins count in the transaction that adds them, so that rolled-back work does not count. Requests and requested mails count in the shared cache before
// any work: a tenant over its quota costs the others nothing, mails about changes (a lock, a new password) never fail for a quota, and the answer does not disclose
// whether an account exists.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type CountedRows, hasRows } from '#db/store/row-counts'
import { findTenant, type Tenant, type TenantSettings, useQuota } from '#db/store/tenants'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { AuditEvent } from '#shared/platform/audit/events'
import type { PlatformCtx } from '#shared/platform/context'
import type { LimitEntry } from '#shared/platform/http/limits'

/** Maximum rows of a kind, and events per window. */
export const QUOTAS = {
  users: 1_000_000,
  clients: 10_000,
  projects: 1_000,
  webhooks: 20,
  roles: 10_000,
  bindings: 100_000,
  permissions: 10_000,
  groups: 10_000,
  scopes: 10_000,
  entries: 10_000,
  requestsPerMinute: 12_000,
  signInsPerMinute: 1_200,
  mailsPerHour: 5_000,
  smsPerHour: 200,
  smsPerDay: 1_000,
} as const satisfies Record<string, number>

export type QuotaName = keyof typeof QUOTAS

export const quotaOf = (settings: Pick<TenantSettings, 'quotas'>, name: QuotaName): number => settings.quotas?.[name] ?? QUOTAS[name]

type Timed = {
  readonly windowSeconds: number
  readonly event: string
  /** Each use costs money: counted in the database while the shared cache is unavailable. */
  readonly costs?: boolean
}
/** Quotas over time: the window, and the event that a refusal prevents. */
const TIMED = {
  requestsPerMinute: { windowSeconds: 60, event: 'request.answered' },
  mailsPerHour: { windowSeconds: 3600, event: 'mail.sent' },
  smsPerHour: { windowSeconds: 3600, event: 'sms_code.sent', costs: true },
  smsPerDay: { windowSeconds: 24 * 3600, event: 'sms_code.sent', costs: true },
} as const satisfies Partial<Record<QuotaName, Timed>>
export type TimedQuota = keyof typeof TIMED

export type TenantQuotas = TenantSettings['quotas']

export type Quotas = {
  /** One use of a quota, to count together with others. Uses the last learned quota, or the default. */
  entry(tenantId: TenantId, name: TimedQuota): LimitEntry
  /** As `entry`; reads the tenant's settings when unknown or old. Call it outside a transaction. */
  current(tenantId: TenantId, name: TimedQuota): Promise<LimitEntry>
  /** Passes the tenant's quotas from settings that were just read. */
  learn(tenantId: TenantId, quotas: TenantQuotas): void
  /**
   * Counts one use; reads the tenant's settings when unknown or old. Call it outside a transaction, before the work.
   * @throws AppError quota_exceeded with `retryAfterSeconds`
   */
  use(tenantId: TenantId, name: TimedQuota): Promise<void>
  /** Like `use`, but returns false when the quota is used up, where the answer must not disclose it. */
  allows(tenantId: TenantId, name: TimedQuota): Promise<boolean>
}

const LEARNED_MS = 60_000
const MAX_TENANTS = 10_000

export const createQuotas = ({ db, limits, clock }: Pick<PlatformCtx, 'db' | 'limits' | 'clock'>): Quotas => {
  const learned = new Map<string, { readonly quotas: TenantQuotas; readonly since: ClockReading }>()

  const learn = (tenantId: TenantId, quotas: TenantQuotas): void => {
    if (learned.size >= MAX_TENANTS) learned.clear()
    learned.set(tenantId, { quotas, since: readClock(clock) })
  }
  const entry = (tenantId: TenantId, name: TimedQuota): LimitEntry => {
    const { windowSeconds, event, costs = false }: Timed = TIMED[name]
    const { quotas } = learned.get(tenantId) ?? {}
    return {
      key: `quota:${name}:${tenantId}`,
      windowSeconds,
      max: quotaOf(quotas === undefined ? {} : { quotas }, name),
      // Others are counted by each instance on its own: they are fairness between tenants, and credentials have limits of their own.
      guardsCredential: costs,
      quota: { tenantId, event },
    }
  }
  const current = async (tenantId: TenantId, name: TimedQuota): Promise<LimitEntry> => {
    const known = learned.get(tenantId)
    if (known === undefined || ageMs(clock, known.since) >= LEARNED_MS) learn(tenantId, (await findTenant(forTenant(db, tenantId)))?.settings.quotas)
    return entry(tenantId, name)
  }
  const use = async (tenantId: TenantId, name: TimedQuota): Promise<void> => limits.check([await current(tenantId, name)])
  return {
    entry,
    current,
    learn,
    use,
    allows: async (tenantId, name) => {
      try {
        await use(tenantId, name)
        return true
      } catch (error) {
        if (error instanceof AppError && error.code === 'quota_exceeded') return false
        throw error
      }
    },
  }
}

const COUNTED_EVENTS = { users: 'user.created', clients: 'client.created', projects: 'project.created' } as const satisfies Record<string, AuditEvent>

/** Counts one more row, in the transaction that adds it. @throws AppError quota_exceeded */
export const consumeQuota = async (t: TenantTx, settings: Pick<TenantSettings, 'quotas'>, kind: keyof typeof COUNTED_EVENTS): Promise<void> => {
  if (await useQuota(t, kind, quotaOf(settings, kind))) return
  throw new AppError('quota_exceeded', undefined, { refusal: { tenantId: t.tenantId, event: COUNTED_EVENTS[kind] } })
}

const ROW_EVENTS: Readonly<Record<CountedRows, AuditEvent>> = {
  roles: 'role.created',
  bindings: 'role_binding.assigned',
  permissions: 'permission.registered',
  groups: 'group.created',
  scopes: 'scope.created',
  entries: 'spiffe_entry.created',
}

/** Requires room for `more` rows. Call under the tenant's policy lock, in the transaction that adds them. @throws AppError quota_exceeded */
export const requireQuotaRoom = async (t: TenantTx, kind: CountedRows, more = 1): Promise<void> => {
  const max = quotaOf((await findTenant(t))?.settings ?? {}, kind)
  if (more <= 0 || !(await hasRows(t, kind, max - more + 1))) return
  throw new AppError('quota_exceeded', undefined, { refusal: { tenantId: t.tenantId, event: ROW_EVENTS[kind] } })
}

const MINUTE_MS = 60_000

/** The counter of sign-ins, for the statement that starts the session. */
export const signInQuota = ({ clock }: Pick<PlatformCtx, 'clock'>, { settings }: Pick<Tenant, 'settings'>) => ({
  prefix: 'signIns:',
  kind: `signIns:${Math.floor(clock.now().getTime() / MINUTE_MS)}`,
  max: quotaOf(settings, 'signInsPerMinute'),
})

export const signInQuotaExceeded = ({ clock }: Pick<PlatformCtx, 'clock'>, tenantId: TenantId): AppError =>
  new AppError('quota_exceeded', undefined, {
    retryAfterSeconds: Math.ceil((MINUTE_MS - (clock.now().getTime() % MINUTE_MS)) / 1000),
    refusal: { tenantId, event: 'user.signed_in' },
  })
