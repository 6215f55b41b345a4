// Queries on job leases: the current holder of a job and the result of its last run.
import { and, eq, isNull, lte, or, sql } from 'drizzle-orm'
import type { AnyScope } from '../engine/tenant.ts'
import { jobLeases } from '../tables/operations.ts'

export type JobState = typeof jobLeases.$inferSelect
export type LeaseRequest = {
  readonly job: string
  readonly holder: string
  readonly at: Date
  readonly until: Date
  /** Refuses when a run started after this time, because the job is not due. */
  readonly startedBefore?: Date
}

/**
 * Whether the lease was taken. One statement, so of several concurrent calls exactly one returns true. A crashed holder's lease is free when it
 * expires.
 */
export const takeJobLease = async (d: AnyScope, { job, holder, at, until, startedBefore }: LeaseRequest): Promise<boolean> => {
  const started = { holder, leasedUntil: until, lastStartedAt: at }
  const isFree = or(isNull(jobLeases.leasedUntil), lte(jobLeases.leasedUntil, at))
  const isDue = startedBefore === undefined ? sql`true` : or(isNull(jobLeases.lastStartedAt), lte(jobLeases.lastStartedAt, startedBefore))
  const rows = await d.db
    .insert(jobLeases)
    .values({ job, ...started, runs: 1 })
    .onConflictDoUpdate({
      target: jobLeases.job,
      set: { ...started, runs: sql`${jobLeases.runs} + 1` },
      setWhere: sql`${isFree} and ${isDue}`,
    })
    .returning({ job: jobLeases.job })
  return rows.length > 0
}

/** Releases the lease and stores the result of the run. False, without a write, when the lease no longer belongs to the holder. */
export const releaseJobLease = async (
  d: AnyScope,
  { job, holder, at, error }: { readonly job: string; readonly holder: string; readonly at: Date; readonly error: string | undefined },
): Promise<boolean> => {
  const rows = await d.db
    .update(jobLeases)
    .set({
      holder: null,
      leasedUntil: null,
      lastFinishedAt: at,
      lastError: error ?? null,
      ...(error === undefined ? {} : { failures: sql`${jobLeases.failures} + 1` }),
    })
    .where(and(eq(jobLeases.job, job), eq(jobLeases.holder, holder)))
    .returning({ job: jobLeases.job })
  return rows.length > 0
}

export const findJobState = async (d: AnyScope, job: string): Promise<JobState | undefined> => {
  const [row] = await d.db.select().from(jobLeases).where(eq(jobLeases.job, job))
  return row
}
