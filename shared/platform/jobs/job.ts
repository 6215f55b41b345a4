// A job is data, as a route is: its id, its interval and its work. It runs under a database lease, so on one instance at a time.
import { sqlState } from '#db/engine/client'
import { acrossTenants } from '#db/engine/tenant'
import { releaseJobLease, takeJobLease } from '#db/store/job-leases'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Fields } from '#shared/kernel/log'
import type { PlatformCtx } from '#shared/platform/context'

/** The result of a run for its log line: counts and ids. */
export type JobResult = Readonly<Record<string, number | string>>

export type Job<Ctx> = {
  /** Noun of the work; the name by which it can be run. */
  readonly id: string
  /** Interval in seconds. */
  readonly every: number
  /**
   * Does the work. It must tolerate being run twice, and stop at `stopBy` and leave the rest to the next run, because another instance may then hold
   * the lease.
   */
  readonly run: (ctx: Ctx, stopBy: Date) => Promise<JobResult>
}

export const job = <Ctx>(declaration: Job<Ctx>): Job<Ctx> => declaration

type Deps = Pick<PlatformCtx, 'db' | 'clock' | 'random' | 'log' | 'metrics' | 'tracer'>

const LEASE_SECONDS = 5 * 60
/** Time between a run's stop time and the end of its lease. */
const STOP_EARLY_SECONDS = 30

export type JobReport =
  | { readonly outcome: 'done'; readonly result: JobResult }
  | { readonly outcome: 'failed'; readonly error: string }
  /** Another instance runs it or has just run it. */
  | { readonly outcome: 'skipped' }

/** Class and code of an error, without text that may contain personal data. */
const nameOf = (error: unknown): string => {
  let e = error
  while (e instanceof Error && e.cause instanceof Error && !(e instanceof AppError)) e = e.cause
  if (!(e instanceof Error)) return 'not an Error'
  const code = e instanceof AppError ? e.code : sqlState(e)
  return code === undefined ? e.name : `${e.name} ${code}`
}

const work = async <Ctx>(ctx: Ctx & Deps, { id, run }: Job<Ctx>, holder: string, stopBy: Date): Promise<JobReport> => {
  const outcome = await ctx.tracer
    .span(`job ${id}`, { 'authsec.job': id }, async () => run(ctx, stopBy))
    .then(
      (result) => ({ outcome: 'done', result }) as const,
      (cause: unknown) => ({ outcome: 'failed', error: nameOf(cause), cause }) as const,
    )
  const error = outcome.outcome === 'failed' ? outcome.error : undefined
  if (outcome.outcome === 'failed') ctx.log.error('job.failed', outcome.cause, { job: id })
  const released = await releaseJobLease(acrossTenants(ctx.db), { job: id, holder, at: ctx.clock.now(), error }).catch((away: unknown) => {
    ctx.log.error('job.lease_not_released', away, { job: id })
    return true
  })
  if (!released) ctx.log.warn('job.lease_lost', { job: id })
  return outcome.outcome === 'done' ? outcome : { outcome: 'failed', error: outcome.error }
}

/**
 * Runs a job unless another instance runs it; with `due`, also unless less than half of its interval has passed since its last start, so that timers
 * on several instances do not multiply it. A failure is logged, counted and stored with the lease, and never thrown.
 */
export const runJob = async <Ctx>(ctx: Ctx & Deps, declaration: Job<Ctx>, when: 'now' | 'due' = 'now'): Promise<JobReport> => {
  const { id, every } = declaration
  const at = ctx.clock.now()
  const from = ctx.clock.elapsed()
  const until = secondsAfter(at, LEASE_SECONDS)
  const holder = ctx.random.id()
  const request = { job: id, holder, at, until, ...(when === 'due' ? { startedBefore: secondsAfter(at, -every / 2) } : {}) }
  let report: JobReport
  try {
    const taken = await takeJobLease(acrossTenants(ctx.db), request)
    report = taken ? await work(ctx, declaration, holder, secondsAfter(until, -STOP_EARLY_SECONDS)) : { outcome: 'skipped' }
  } catch (error) {
    ctx.log.error('job.failed', error, { job: id })
    report = { outcome: 'failed', error: nameOf(error) }
  }
  ctx.metrics.count('job_runs_total', { job: id, result: report.outcome })
  if (report.outcome === 'done') {
    const fields: Fields = { ...report.result, job: id, duration_ms: Math.round(ctx.clock.elapsed() - from) }
    ctx.log.info('job.done', fields)
  }
  // A cloud function freezes after this.
  await Promise.all([ctx.metrics.flush('now'), ctx.tracer.flush()])
  return report
}
