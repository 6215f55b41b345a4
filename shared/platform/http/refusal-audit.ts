// Records refusals in the audit log, in a separate transaction after the rollback. Refusals of anonymous callers are folded: the first per address,
// route, code and minute is written at once; further ones are counted by tenant and account and written when the minute is over. Whether one is
// written at once does not depend on the account, so the response time reveals nothing about accounts.
import { asTenantId, atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestInfo } from '#shared/kernel/context'
import type { AppError } from '#shared/kernel/errors'
import { rateLimitKeyOf } from '#shared/kernel/ip-address'
import { type AuditEntry, byAnonymous, byCaller, recordEvent } from '#shared/platform/audit/audit-log'
import type { PlatformCtx } from '#shared/platform/context'
import type { Caller } from '#shared/platform/principals/principal'

export type RefusalAudit = {
  /** Never throws: a refusal that cannot be recorded is logged. */
  note(error: AppError, request: RequestInfo | undefined, principal: Caller | undefined): Promise<void>
  /** Writes the counts of past minutes; with `everything`, also of the current one (when a process ends). */
  settle(everything?: boolean): Promise<void>
}

const REFUSED = new Set([401, 403, 428, 429])
type Bounds = {
  /** Number of distinct callers and accounts to count separately; beyond it, refusals are counted only by code. */
  readonly folded: number
  /** Most rows of other callers that one request writes. */
  readonly settledAtOnce: number
}
const BOUNDS: Bounds = { folded: 10_000, settledAtOnce: 50 }
const MINUTE_MS = 60_000

type Folded = {
  readonly tenantId: string
  readonly request: RequestInfo | undefined
  readonly occurrence: AuditEntry
  readonly minute: number
  count: number
}

const occurrence = (error: AppError, principal: Caller | undefined): AuditEntry => {
  const refusal = error.details.refusal
  return {
    event: 'request.refused',
    actor: principal ? byCaller(principal) : refusal?.userId === undefined ? byAnonymous : { type: 'anonymous', id: refusal.userId },
    outcome: 'refused',
    reason: refusal?.reason ?? error.code,
    ...(refusal === undefined ? {} : { target: refusal.target ?? { type: 'event', id: refusal.event } }),
    ...(refusal?.userId === undefined ? {} : { subjectId: refusal.userId, target: { type: 'user', id: refusal.userId } }),
  }
}

/** The kinds of refusals seen in this minute, and the counts of repeated ones. */
const createFold = (most: number) => {
  const counts = new Map<string, Folded>()
  let seen = new Set<string>()
  let seenMinute = 0

  const count = (key: string, entry: Omit<Folded, 'count'>): void => {
    const known = counts.get(key)
    if (known) known.count++
    else counts.set(key, { ...entry, count: 1 })
  }

  return {
    /** True for the first of its kind, which the caller writes; repeated ones are counted. */
    isFirst: (error: AppError, request: RequestInfo, minute: number): boolean => {
      if (minute !== seenMinute) {
        seen = new Set()
        seenMinute = minute
      }
      const reason = error.details.refusal?.reason ?? error.code
      const kind = `${minute} ${reason} ${request.route} ${rateLimitKeyOf(request.address)}`
      if (!seen.has(kind) && seen.size < most) {
        seen.add(kind)
        return true
      }
      const tenantId = error.details.refusal?.tenantId ?? SYSTEM_TENANT
      const key = `${kind} ${tenantId} ${error.details.refusal?.userId ?? ''}`
      if (counts.has(key) || counts.size < most) count(key, { tenantId, request, occurrence: occurrence(error, undefined), minute })
      else {
        const nameless: AuditEntry = { event: 'request.refused', actor: byAnonymous, outcome: 'refused', reason: error.code }
        count(`${minute} ${error.code}`, { tenantId: SYSTEM_TENANT, request: undefined, occurrence: nameless, minute })
      }
      return false
    },
    /** Removes and returns the counts of earlier minutes, oldest first. */
    takeBefore: (before: number, atMost: number): Folded[] => {
      const taken: Folded[] = []
      for (const [key, entry] of counts) {
        if (entry.minute >= before || taken.length === atMost) break
        counts.delete(key)
        taken.push(entry)
      }
      return taken
    },
  }
}

export const createRefusalAudit = (ctx: PlatformCtx, bounds = BOUNDS): RefusalAudit => {
  const fold = createFold(bounds.folded)
  const minuteNow = (): number => Math.floor(ctx.clock.now().getTime() / MINUTE_MS)

  const write = async (tenantId: string, request: RequestInfo | undefined, o: AuditEntry): Promise<void> => {
    try {
      await atomically(forTenant(ctx.db, asTenantId(tenantId)), (t) => recordEvent(t, { ...ctx, ...(request === undefined ? {} : { request }) }, o))
    } catch (failure) {
      ctx.log.error('refusal_not_recorded', failure, { request_id: request?.id ?? '', code: o.reason ?? '', count: o.count ?? 1 })
    }
  }

  const settle = async (everything = false): Promise<void> => {
    const before = everything ? Number.POSITIVE_INFINITY : minuteNow()
    for (const { tenantId, request, occurrence: o, count } of fold.takeBefore(before, everything ? Number.POSITIVE_INFINITY : bounds.settledAtOnce)) {
      await write(tenantId, request, { ...o, count })
    }
  }

  return {
    settle,
    note: async (error, request, principal) => {
      const refusal = error.details.refusal
      if (request === undefined || !(REFUSED.has(error.status) || refusal !== undefined)) return
      if (principal !== undefined) await write(principal.tenantId, request, occurrence(error, principal))
      else if (fold.isFirst(error, request, minuteNow())) await write(refusal?.tenantId ?? SYSTEM_TENANT, request, occurrence(error, undefined))
    },
  }
}
