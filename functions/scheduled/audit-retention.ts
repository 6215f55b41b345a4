// Deletes audit events past their retention: 90 days, or longer if the tenant has set so.

import { asOwner, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { deleteAuditEventsBefore } from '#db/store/audit-retention'
import { findTenant } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { type AuditCtx, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { type JobResult, job } from '#shared/platform/jobs/job'
import { allTenants } from './all-tenants.ts'

type Deps = Pick<BaseCtx, 'db'> & AuditCtx

const LEAST_RETENTION_DAYS = 90
/** Twenty years: a longer setting is capped, which avoids invalid dates. */
const MOST_RETENTION_DAYS = 7300
const DAY = 24 * 3600
/** Events deleted per transaction; each transaction writes an `audit.purged` event. */
const BATCH = 5000

/** Returns how many events were deleted; a full batch means that there may be more. */
const purgeBatch = (ctx: Deps, tenantId: TenantId): Promise<number> =>
  asOwner(ctx.db, tenantId, async (t) => {
    const tenant = await findTenant(t)
    // Events of purged tenants are handled in tenant-purge.ts: here each purge would write another event, so the last one would never be deleted.
    if (tenant === undefined && tenantId !== SYSTEM_TENANT) return 0
    const wanted = tenant?.settings.auditRetentionDays ?? LEAST_RETENTION_DAYS
    const days = Math.min(MOST_RETENTION_DAYS, Math.max(LEAST_RETENTION_DAYS, wanted))
    const before = secondsAfter(ctx.clock.now(), -days * DAY)
    const deleted = await deleteAuditEventsBefore(t, before, BATCH)
    if (deleted > 0) await recordEvent(t, ctx, { event: 'audit.purged', actor: bySystem, after: { deleted, before: before.toISOString() } })
    return deleted
  })

/** Returns how many events were deleted, and for how many tenants everything due was deleted. */
export const purgeAudit = async (ctx: Deps, stopBy: Date): Promise<JobResult> => {
  let events = 0
  let tenants = 0
  for await (const tenantId of allTenants(ctx.db)) {
    for (let deleted = BATCH; deleted === BATCH; events += deleted) {
      if (ctx.clock.now() >= stopBy) return { events, tenants, stopped_early: 1 }
      deleted = await purgeBatch(ctx, tenantId)
    }
    tenants += 1
  }
  return { events, tenants }
}

export const auditRetention = job<Deps>({ id: 'audit-retention', every: DAY, run: purgeAudit })
