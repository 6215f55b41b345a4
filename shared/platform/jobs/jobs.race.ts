// Needs a PostgreSQL server, where connections really compete: TEST_DATABASE_URL.
import { expect, test } from 'vitest'
import { acrossTenants } from '#db/engine/tenant'
import { findJobState } from '#db/store/job-leases'
import { fixedClock } from '#shared/kernel/clock'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { createMetrics } from '#shared/platform/metrics/metrics'
import { noTracer } from '#shared/platform/trace/trace'
import { testDb } from '#tests/support/database'
import { runJob } from './job.ts'

test.each(['first run', 'later run'])('of twenty instances only one runs a job at a time (%s)', async (which) => {
  const db = await testDb()
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const random = systemRandom(clock)
  const id = `race-${random.id()}`
  const instance = () => ({
    db,
    clock,
    random,
    log: memoryLog(clock.now),
    metrics: createMetrics({ cache: memoryCache(clock), clock }),
    tracer: noTracer,
  })
  if (which === 'later run') {
    await runJob(instance(), { id, every: 60, run: async () => ({}) })
    clock.advance(60)
  }
  let inside = 0
  let most = 0
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const run = async () => {
    inside += 1
    most = Math.max(most, inside)
    await ended
    inside -= 1
    return {}
  }
  const reports: string[] = []
  const all = Array.from({ length: 20 }, async () => reports.push((await runJob(instance(), { id, every: 60, run }, 'due')).outcome))
  await expect.poll(() => reports.length, { timeout: 10_000 }).toBe(19)
  end()
  await Promise.all(all)
  expect(reports).toEqual([...Array.from({ length: 19 }, () => 'skipped'), 'done'])
  expect(most).toBe(1)
  expect(await findJobState(acrossTenants(db), id)).toMatchObject({ runs: which === 'later run' ? 2 : 1, holder: null })
})
