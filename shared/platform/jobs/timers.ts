// Runs the jobs of a long-running process by timers. In the cloud, schedules call `runJob` instead.
import type { PlatformCtx } from '#shared/platform/context'
import { type Job, runJob } from './job.ts'

type Deps = Pick<PlatformCtx, 'db' | 'clock' | 'random' | 'log' | 'metrics' | 'tracer'>

/** Calls `work` once after the given seconds, unless cancelled. */
export type After = (seconds: number, work: () => void) => () => void

const processTimer: After = (seconds, work) => {
  const timer = setTimeout(work, seconds * 1000)
  // The timer must not keep an otherwise finished process alive.
  timer.unref()
  return () => clearTimeout(timer)
}

/** Longest delay of a job's first run after a start. */
const FIRST_RUN_WITHIN_SECONDS = 10
/** Runs are delayed by up to this share of the interval, so that instances that started together do not load the database together. */
const JITTER = 0.1

/** Runs each job soon after the start and then at its interval, if it is due. `stop` waits for runs in progress. */
export const startJobs = <Ctx>(ctx: Ctx & Deps, jobs: readonly Job<Ctx>[], after: After = processTimer): { stop(): Promise<void> } => {
  const cancels = new Map<string, () => void>()
  const running = new Set<Promise<unknown>>()
  let stopped = false
  const share = (): number => (ctx.random.bytes(1)[0] ?? 0) / 255

  const schedule = (declaration: Job<Ctx>, seconds: number): void => {
    if (stopped) return
    const begin = (): void => {
      if (stopped) return
      const run = runJob(ctx, declaration, 'due').finally(() => {
        running.delete(run)
        schedule(declaration, declaration.every * (1 + share() * JITTER))
      })
      running.add(run)
    }
    cancels.set(declaration.id, after(seconds, begin))
  }

  for (const declaration of jobs) schedule(declaration, share() * FIRST_RUN_WITHIN_SECONDS)
  return {
    stop: async () => {
      stopped = true
      for (const cancel of cancels.values()) cancel()
      await Promise.allSettled(running)
    },
  }
}
