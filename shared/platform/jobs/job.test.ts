import { expect, test } from 'vitest'
import { acrossTenants } from '#db/engine/tenant'
import { findJobState } from '#db/store/job-leases'
import { fixedClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { createMetrics } from '#shared/platform/metrics/metrics'
import { noTracer } from '#shared/platform/trace/trace'
import { testDb } from '#tests/support/database'
import { type Job, runJob } from './job.ts'
import { startJobs } from './timers.ts'

const HOUR = 3600

/** Several instances with a shared database and cache. */
const setUp = async () => {
  const db = await testDb()
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const cache = memoryCache(clock)
  const random = systemRandom(clock)
  const instance = () => ({ db, clock, random, log: memoryLog(clock.now), metrics: createMetrics({ cache, clock }), tracer: noTracer })
  const id = `test-${random.id()}`
  return { clock, instance, id, state: () => findJobState(acrossTenants(db), id) }
}

/** A job that runs until the test ends it. */
const heldJob = (id: string) => {
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let started: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    started = resolve
  })
  const declaration: Job<unknown> = {
    id,
    every: HOUR,
    run: async () => {
      started()
      await ended
      return { rows: 1 }
    },
  }
  return { declaration, begun, end }
}

test('a run is stored with its lease, counted and logged', async () => {
  const { clock, instance, id, state } = await setUp()
  const ctx = instance()
  const at = clock.now()
  const report = await runJob(ctx, { id, every: HOUR, run: async () => ({ rows: clock.advance(2) ?? 5 }) })
  expect(report).toEqual({ outcome: 'done', result: { rows: 5 } })
  expect(await state()).toMatchObject({
    holder: null,
    leasedUntil: null,
    lastStartedAt: at,
    lastFinishedAt: clock.now(),
    runs: 1,
    failures: 0,
    lastError: null,
  })
  expect(JSON.parse(ctx.log.lines[0] ?? '')).toMatchObject({ event: 'job.done', job: id, rows: 5, duration_ms: 2000 })
  expect(await ctx.metrics.render()).toContain(`job_runs_total{job="${id}",result="done"} 1`)
})

test('a job does not run on two instances at a time', async () => {
  const { instance, id, state } = await setUp()
  const [one, two] = [instance(), instance()]
  const { declaration, begun, end } = heldJob(id)
  const first = runJob(one, declaration)
  await begun
  expect(await runJob(two, declaration)).toEqual({ outcome: 'skipped' })
  end()
  expect(await first).toMatchObject({ outcome: 'done' })
  expect(await runJob(two, declaration)).toMatchObject({ outcome: 'done' })
  expect(await state()).toMatchObject({ runs: 2 })
})

test('the lease of a crashed instance ends after five minutes, and its late return changes nothing', async () => {
  const { clock, instance, id, state } = await setUp()
  const [one, two] = [instance(), instance()]
  const slow = heldJob(id)
  const late = runJob(one, slow.declaration)
  await slow.begun
  clock.advance(299)
  expect(await runJob(two, slow.declaration)).toEqual({ outcome: 'skipped' })
  clock.advance(1)
  const next = heldJob(id)
  const second = runJob(two, next.declaration)
  await next.begun
  const held = await state()
  slow.end()
  await late
  expect(await state()).toEqual(held)
  expect(one.log.lines.map((line) => JSON.parse(line).event)).toContain('job.lease_lost')
  next.end()
  expect(await second).toMatchObject({ outcome: 'done' })
})

test('a run gets a stop time before the end of its lease', async () => {
  const { clock, instance, id } = await setUp()
  let left = 0
  const run = async (_: unknown, stopBy: Date) => {
    left = (stopBy.getTime() - clock.now().getTime()) / 1000
    return {}
  }
  await runJob(instance(), { id, every: HOUR, run })
  expect(left).toBe(270)
})

test('a failing job does not throw; it is logged and counted with its class and code, without its text', async () => {
  const { instance, id, state } = await setUp()
  const ctx = instance()
  const failing = (error: unknown): Job<unknown> => ({ id, every: HOUR, run: () => Promise.reject(error) })
  expect(await runJob(ctx, failing(new AppError('delivery_failed', 'to ana@example.com')))).toEqual({
    outcome: 'failed',
    error: 'AppError delivery_failed',
  })
  expect(await state()).toMatchObject({ runs: 1, failures: 1, lastError: 'AppError delivery_failed', holder: null })
  const sql = Object.assign(new Error('duplicate key (ana@example.com)'), { code: '23505' })
  expect(await runJob(ctx, failing(new Error('Failed query', { cause: sql })))).toEqual({ outcome: 'failed', error: 'Error 23505' })
  const atOnce = (): never => {
    throw new Error('before any promise')
  }
  expect(await runJob(ctx, { id, every: HOUR, run: atOnce })).toEqual({ outcome: 'failed', error: 'Error' })
  expect(await runJob(ctx, { id, every: HOUR, run: async () => ({}) })).toMatchObject({ outcome: 'done' })
  expect(await state()).toMatchObject({ runs: 4, failures: 3, lastError: null })
  const text = await ctx.metrics.render()
  expect(text).toContain(`job_runs_total{job="${id}",result="failed"} 3`)
  expect(ctx.log.lines.filter((line) => JSON.parse(line).event === 'job.failed')).toHaveLength(3)
})

test('a timer runs a job only when it is due; a call by name runs it at once', async () => {
  const { clock, instance, id } = await setUp()
  const declaration: Job<unknown> = { id, every: HOUR, run: async () => ({}) }
  const outcome = async (when: 'now' | 'due') => (await runJob(instance(), declaration, when)).outcome
  expect(await outcome('due')).toBe('done')
  clock.advance(HOUR / 2 - 1)
  expect(await outcome('due')).toBe('skipped')
  clock.advance(1)
  expect(await outcome('due')).toBe('done')
  expect(await outcome('now')).toBe('done')
})

test('timers run each job soon after the start and then at its interval, until stopped', async () => {
  const { clock, instance, id } = await setUp()
  const timers: { seconds: number; work: () => void; cancelled: boolean }[] = []
  const after = (seconds: number, work: () => void) => {
    const timer = { seconds, work, cancelled: false }
    timers.push(timer)
    return () => {
      timer.cancelled = true
    }
  }
  let runs = 0
  const held = heldJob(id)
  const quick: Job<unknown> = { id: `${id}-quick`, every: HOUR, run: async () => ({ run: ++runs }) }
  const jobs = startJobs(instance(), [quick, held.declaration], after)
  expect(timers.map(({ seconds }) => seconds <= 10)).toEqual([true, true])
  timers[0]?.work()
  await expect.poll(() => timers.length).toBe(3)
  expect(runs).toBe(1)
  expect(timers[2]?.seconds).toBeGreaterThanOrEqual(HOUR)
  expect(timers[2]?.seconds).toBeLessThanOrEqual(1.1 * HOUR)
  clock.advance(HOUR)
  timers[1]?.work()
  await held.begun
  let stopped = false
  const stopping = jobs.stop().then(() => {
    stopped = true
  })
  await Promise.resolve()
  expect(stopped).toBe(false)
  held.end()
  await stopping
  timers[2]?.work()
  expect(runs).toBe(1)
  expect(timers).toHaveLength(3)
  expect(timers[2]?.cancelled).toBe(true)
})
