import { expect, test } from 'vitest'
import { METRICS } from './definitions.ts'
import { renderExposition } from './exposition.ts'
import { type Sample, sampleField, sampleOf } from './sample.ts'

const linesOf = (samples: readonly Sample[], name: string): string[] =>
  renderExposition(samples)
    .split('\n')
    .filter((line) => line.startsWith(name))

test('every metric has help and type before its samples, and every line is well-formed', () => {
  const text = renderExposition([
    { name: 'http_requests_total', values: ['GET', '/a', '200', 'unknown'], part: '', value: 3 },
    { name: 'memory_usage_bytes', values: [], part: '', value: 1.5e9 },
    { name: 'http_response_size_bytes', values: ['GET', '/a', 'unknown'], part: '100', value: 1 },
  ])
  expect(text.endsWith('\n')).toBe(true)
  const seen = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    const [, name] = /^# (?:HELP|TYPE) ([a-z_]+) .+$/.exec(line) ?? []
    if (name !== undefined) seen.add(name)
    else {
      const [, sample] = /^([a-z_]+)(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? [-+0-9.eE]+$/.exec(line) ?? []
      expect(sample, line).toBeDefined()
      expect(seen).toContain(sample?.replace(/_(bucket|sum|count)$/, ''))
    }
  }
  expect([...seen]).toEqual(Object.keys(METRICS))
})

test('buckets are cumulative, and +Inf equals the count', () => {
  const values = ['GET', '/a', 'unknown']
  const lines = linesOf(
    [
      { name: 'http_response_size_bytes', values, part: '1000', value: 2 },
      { name: 'http_response_size_bytes', values, part: '100', value: 1 },
      { name: 'http_response_size_bytes', values, part: '+Inf', value: 4 },
      { name: 'http_response_size_bytes', values, part: 'sum', value: 8_000_900.5 },
      // From a version of the program with other buckets.
      { name: 'http_response_size_bytes', values, part: '500', value: 1 },
    ],
    'http_response_size_bytes',
  )
  const labels = 'method="GET",endpoint="/a",tenant_id="unknown"'
  expect(lines).toEqual([
    `http_response_size_bytes_bucket{${labels},le="100"} 1`,
    `http_response_size_bytes_bucket{${labels},le="1000"} 4`,
    `http_response_size_bytes_bucket{${labels},le="10000"} 4`,
    `http_response_size_bytes_bucket{${labels},le="100000"} 4`,
    `http_response_size_bytes_bucket{${labels},le="1000000"} 4`,
    `http_response_size_bytes_bucket{${labels},le="+Inf"} 8`,
    `http_response_size_bytes_sum{${labels}} 8000900.5`,
    `http_response_size_bytes_count{${labels}} 8`,
  ])
})

test('a label value cannot break out of its quotes', () => {
  expect(linesOf([{ name: 'job_runs_total', values: ['a"} 1\nevil 2\\', 'done'], part: '', value: 1 }], 'job_runs_total')).toEqual([
    'job_runs_total{job="a\\"} 1\\nevil 2\\\\",result="done"} 1',
  ])
})

test('a cache field is read back unchanged, and an unknown field of another version is left out', () => {
  const sample = { name: 'job_runs_total', values: ['a"],[', 'done'], part: '' } as const
  expect(sampleOf(sampleField(sample), 2)).toEqual({ ...sample, value: 2 })
  expect(sampleOf('["unknown_total","","a"]', 1)).toBeUndefined()
  expect(sampleOf('["constructor",""]', 1)).toBeUndefined()
  expect(sampleOf('["job_runs_total","","one label only"]', 1)).toBeUndefined()
  expect(sampleOf('["job_runs_total","0.5","a","b"]', 1)).toBeUndefined()
  expect(sampleOf('{}', 1)).toBeUndefined()
})

test('the metrics of AuthSec are declared with its labels and buckets', () => {
  const labels = Object.fromEntries(Object.entries(METRICS).map(([name, { type, labels }]) => [name, `${type} ${labels.join(',')}`]))
  expect(labels).toMatchObject({
    http_requests_total: 'counter method,endpoint,status_code,tenant_id',
    http_request_duration_seconds: 'histogram method,endpoint,status_code,tenant_id',
    http_response_size_bytes: 'histogram method,endpoint,tenant_id',
    db_query_duration_seconds: 'histogram operation,table,tenant_id',
    db_connection_pool_size: 'gauge database_type,tenant_id',
    auth_requests_total: 'counter auth_type,result,tenant_id',
    auth_failures_total: 'counter auth_type,reason,tenant_id',
    tenant_operations_total: 'counter operation,result',
    active_tenants: 'gauge ',
    memory_usage_bytes: 'gauge ',
    goroutines_count: 'gauge ',
  })
  expect(METRICS.http_request_duration_seconds.buckets).toEqual([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
  expect(METRICS.http_response_size_bytes.buckets).toEqual([100, 1e3, 1e4, 1e5, 1e6])
})
