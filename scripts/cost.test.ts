import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { emfLine } from '#shared/platform/metrics/emf'
import { COUNTED } from '../infra/alarms.ts'
import { builtFunctions } from '../infra/bundle/build.ts'
import { manifest } from '../infra/manifest.ts'
import { costOf, costSheet, DEPLOYMENT, totalOf } from './cost.ts'

type Embedded = { readonly _aws: { readonly CloudWatchMetrics: readonly { readonly Dimensions: readonly (readonly string[])[] }[] } }

/** The latency metrics that are billed: one for each set of values that the dimensions can have. */
const latencies = (): ReadonlySet<string> => {
  const request = { at: new Date(0), durationMs: 1, statusCode: 200, requestId: 'r' }
  const lines = manifest().groups.flatMap(({ name, routes }) =>
    routes.map(
      ({ method, path }) => JSON.parse(emfLine('x', { ...request, method, endpoint: path, tenantId: name })) as Embedded & Record<string, unknown>,
    ),
  )
  return new Set(
    lines.flatMap((line) =>
      line._aws.CloudWatchMetrics.flatMap(({ Dimensions }) => Dimensions.map((names) => names.map((name) => line[name]).join())),
    ),
  )
}

test('the page is what the script generates', () => {
  expect(readFileSync('docs/cost.md', 'utf8')).toBe(costSheet())
})

test('the deployment’s functions, alarms and secrets are counted', () => {
  const perDay = manifest().jobs.reduce((sum, { everySeconds }) => sum + 86_400 / everySeconds, 0)
  expect(DEPLOYMENT.jobsADay).toBe(perDay)
  expect(DEPLOYMENT.ownMetrics).toBe(COUNTED.length + latencies().size)
  expect(builtFunctions().length).toBeGreaterThan(0)
})

test('more requests cost more, an idle month is not free, and every line is a number', () => {
  const [idle, one, hundred] = [0, 1e6, 1e8].map((requests) => totalOf(costOf(requests)))
  expect(idle).toBeGreaterThan(5)
  expect(one).toBeGreaterThan(idle ?? 0)
  expect(hundred).toBeGreaterThan((one ?? 0) * 10)
  for (const requests of [0, 1, 1e6, 1e8, 1e10])
    for (const { what, dollars } of costOf(requests)) expect(Number.isFinite(dollars) && dollars >= 0, `${what} ${requests}`).toBe(true)
})
