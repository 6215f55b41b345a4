import { expect, test } from 'vitest'
import { emfLine } from './emf.ts'

test('a line has one metric with one dimension, and all details as searchable properties', () => {
  const at = new Date('2026-03-01T12:00:00.250Z')
  const text = emfLine('authsec', {
    at,
    durationMs: 12.5,
    method: 'GET',
    endpoint: '/authsec/uflow/health',
    statusCode: 200,
    tenantId: 'unknown',
    requestId: 'r-1',
  })
  expect(text).not.toContain('\n')
  const line = JSON.parse(text)
  expect(line._aws.Timestamp).toBe(at.getTime())
  const [directive] = line._aws.CloudWatchMetrics
  expect(directive.Namespace).toBe('authsec')
  expect(directive.Metrics).toEqual([{ Name: 'http_request_duration', Unit: 'Milliseconds' }])
  expect(line.http_request_duration).toBe(12.5)
  expect(directive.Dimensions).toEqual([['service']])
  expect(line.service).toBe('authsec')
  expect(line).toMatchObject({ method: 'GET', endpoint: '/authsec/uflow/health', status_code: 200, tenant_id: 'unknown', request_id: 'r-1' })
})
