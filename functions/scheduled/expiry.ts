// Deletes what is over: expired sessions, tickets, mailed codes, sign-ups, grants and backchannel requests, voice sessions, revocations and counters.

import { acrossTenants } from '#db/engine/tenant'
import { deleteLapsedDomainsOfAllTenants } from '#db/store/domains'
import { deleteExpiredOfAllTenants, type ExpiringKind, tableOf } from '#db/store/expired'
import { dropExpiredLimitCounters } from '#db/store/limit-counters'
import { deleteUnusedClientsOfAllTenants } from '#db/store/registered-clients'
import type { BaseCtx } from '#shared/domains/context'
import { CLAIM_SECONDS } from '#shared/domains/domain-names/claim'
import { secondsAfter } from '#shared/kernel/clock'
import { type JobResult, job } from '#shared/platform/jobs/job'

type Deps = Pick<BaseCtx, 'db' | 'clock'>

const BATCH = 1000
const HOUR = 3600
const DAY = 24 * HOUR

/** How long each kind is kept after it expired. Never shorter than what the policies of the jobs role allow: db/migrations/policies.ts. */
const KEPT_SECONDS: Readonly<Record<ExpiringKind, number>> = {
  // People look at where they were signed in.
  sessions: 7 * DAY,
  tickets: HOUR,
  oneTimeCodes: HOUR,
  pendingRegistrations: HOUR,
  federationStates: HOUR,
  // Verifiers accept a token up to a minute past its end: a revocation must outlive that.
  revokedTokens: HOUR,
  oauthAuthorizations: HOUR,
  oauthRequests: HOUR,
  oauthUsedIds: HOUR,
  registrationTokens: DAY,
  resourceAccessRequests: DAY,
  oauthDelegations: HOUR,
  oauthSpends: HOUR,
  oauthBudgets: HOUR,
  pendingEnrolments: HOUR,
  // Sends are counted by day.
  smsCodes: DAY,
  deviceGrants: DAY,
  deviceCodeDirectory: DAY,
  cibaRequests: DAY,
  voiceSessions: HOUR,
  samlRequests: HOUR,
  mcpSessions: HOUR,
}

/** In batches, until one is not full or time is up. */
const all = async ({ clock }: Pick<Deps, 'clock'>, stopBy: Date, deleteSome: () => Promise<number>): Promise<number> => {
  let total = 0
  for (let batch = BATCH; batch === BATCH && clock.now() < stopBy; total += batch) batch = await deleteSome()
  return total
}

/** Answers how many rows went from each table. */
export const deleteExpired = async ({ db, clock }: Deps, stopBy: Date): Promise<JobResult> => {
  const now = clock.now()
  const deleted: Record<string, number> = {}
  for (const kind of Object.keys(KEPT_SECONDS) as ExpiringKind[]) {
    const before = secondsAfter(now, -KEPT_SECONDS[kind])
    deleted[tableOf(kind)] = await all({ clock }, stopBy, () => deleteExpiredOfAllTenants(acrossTenants(db), kind, before, BATCH))
  }
  const lapsed = secondsAfter(now, -CLAIM_SECONDS)
  deleted.tenant_domains = await all({ clock }, stopBy, () => deleteLapsedDomainsOfAllTenants(acrossTenants(db), lapsed, BATCH))
  const unused = secondsAfter(now, -HOUR)
  deleted.clients = await all({ clock }, stopBy, () => deleteUnusedClientsOfAllTenants(acrossTenants(db), unused, BATCH))
  return { ...deleted, limit_counters: await dropExpiredLimitCounters(acrossTenants(db), now) }
}

export const expiry = job<Deps>({ id: 'expiry', every: HOUR, run: deleteExpired })
