// Rotates the keys of trust domains. A key that is due is also rotated when it is used; a trust domain that issues nothing still publishes its next keys.

import { acrossTenants } from '#db/engine/tenant'
import { listTrustDomainsOfAllTenants } from '#db/store/trust-domains'
import type { BaseCtx } from '#shared/domains/context'
import { rotateWorkloadKeys } from '#shared/domains/spiffe/key-changes'
import { type JobResult, job } from '#shared/platform/jobs/job'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'random' | 'hash'>

const HOUR = 3600
const AT_ONCE = 100

export const rotateTrustDomains = async (ctx: Deps, stopBy: Date): Promise<JobResult> => {
  const result = { tenants: 0, changed: 0 }
  for (let after: string | undefined; ; ) {
    const page = await listTrustDomainsOfAllTenants(acrossTenants(ctx.db), after, AT_ONCE)
    if (page.length === 0) return result
    for (const tenantId of page) {
      if (ctx.clock.now() >= stopBy) return { ...result, stopped_early: 1 }
      result.changed += await rotateWorkloadKeys(ctx, tenantId)
      result.tenants += 1
    }
    after = page.at(-1)
  }
}

export const workloadKeyRotation = job<Deps>({ id: 'workload-keys', every: HOUR, run: rotateTrustDomains })
