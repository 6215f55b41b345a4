// Looks for changes without an audit event. An event commits with its change, so a missing one was removed. An alarm watches the log line.

import { forTenant } from '#db/engine/tenant'
import { countUnrecordedSessions } from '#db/store/audit-gap'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { type JobResult, job } from '#shared/platform/jobs/job'
import { allTenants } from './all-tenants.ts'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'log'>

const DAY = 24 * 3600
/** One day and an additional hour, for a delayed run. */
const LOOKED_BACK_SECONDS = DAY + 3600

export const findGaps = async (ctx: Deps, stopBy: Date): Promise<JobResult> => {
  const now = ctx.clock.now()
  const from = secondsAfter(now, -LOOKED_BACK_SECONDS)
  const result = { tenants: 0, missing: 0 }
  for await (const tenantId of allTenants(ctx.db)) {
    if (ctx.clock.now() >= stopBy) return { ...result, stopped_early: 1 }
    const missing = await countUnrecordedSessions(forTenant(ctx.db, tenantId), from, now)
    if (missing > 0) ctx.log.warn('audit.gap', { tenant_id: tenantId, missing })
    result.tenants += 1
    result.missing += missing
  }
  return result
}

export const auditGap = job<Deps>({ id: 'audit-gap', every: DAY, run: findGaps })
