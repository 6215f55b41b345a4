// Deletes expired rows: sessions, tickets, mailed codes, sign-ups, grants and backchannel requests, voice sessions, SVIDs, revocations and counters.

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

/** How long each kind is kept after expiry. Never shorter than the policies of the jobs role allow: db/migrations/policies.ts. */
const KEPT_SECONDS: Readonly<Record<ExpiringKind, number>> = {
  // People review their recent sessions.
  sessions: 7 * DAY,
  tickets: HOUR,
  oneTimeCodes: HOUR,
  pendingRegistrations: HOUR,
  federationStates: HOUR,
  // Verifiers accept a token up to a minute after its end, so a revocation must be kept longer.
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
  // Messages are counted per day.
  smsCodes: DAY,
  deviceGrants: DAY,
  deviceCodeDirectory: DAY,
  cibaRequests: DAY,
  voiceSessions: HOUR,
  samlRequests: HOUR,
  mcpSessions: HOUR,
  svids: HOUR,
  attestationUses: HOUR,
  // Administrators see which workload used a token.
  joinTokens: 7 * DAY,
}

/** Runs batches until one is not full or the time is up. */
const all = async ({ clock }: Pick<Deps, 'clock'>, stopBy: Date, deleteSome: () => Promise<number>): Promise<number> => {
  let total = 0
  for (let batch = BATCH; batch === BATCH && clock.now() < stopBy; total += batch) batch = await deleteSome()
  return total
}

/** Returns the number of deleted rows per table. */
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
