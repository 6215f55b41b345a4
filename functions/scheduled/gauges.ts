// Updates the gauges that need the database, so that scrapes, which come every few seconds, do not keep it awake.

import { acrossTenants, directory } from '#db/engine/tenant'
import { listSigningKeys } from '#db/store/signing-keys'
import { countActiveTenants } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { type JobResult, job } from '#shared/platform/jobs/job'
import { recordProcessGauges } from '#shared/platform/metrics/process'

type Deps = Pick<BaseCtx, 'db' | 'metrics' | 'clock'>

const DAY_MS = 86_400_000

/** Age in days of the oldest signing key. An alarm watches it through the job's log line. */
const keyAgeDays = async ({ db, clock }: Deps): Promise<number> => {
  const since = (await listSigningKeys(directory(db))).flatMap(({ status, currentSince }) =>
    status === 'current' && currentSince ? [currentSince.getTime()] : [],
  )
  return since.length === 0 ? 0 : Math.floor((clock.now().getTime() - Math.min(...since)) / DAY_MS)
}

export const setGauges = async (ctx: Deps): Promise<JobResult> => {
  const { db, metrics } = ctx
  const active = await countActiveTenants(acrossTenants(db))
  metrics.gauge('active_tenants', {}, active)
  recordProcessGauges(metrics)
  await metrics.flush('now')
  return { active_tenants: active, key_age_days: await keyAgeDays(ctx) }
}

export const gauges = job<Deps>({ id: 'gauges', every: 15 * 60, run: setGauges })
