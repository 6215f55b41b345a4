// Who runs which job, until when, and how its last run ended.
import { and, eq, isNull, lte, or, sql } from 'drizzle-orm'
import type { AnyScope } from '../engine/tenant.ts'
import { jobLeases } from '../tables/operations.ts'

export type JobState = typeof jobLeases.$inferSelect
export type LeaseRequest = {
  readonly job: string
  readonly holder: string
  readonly at: Date
  readonly until: Date
  /** Refuse when a run began after this moment: it is not due yet. */
  readonly startedBefore?: Date
}

/** Whether the lease was taken. One statement, so of many at once exactly one is told true. A lease whose holder died is free when its time is over. */
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

/** Gives the lease back and notes how the run ended. False when the lease was no longer the holder's: then nothing is noted. */
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
