import { expect, test } from 'vitest'
import { BaseConfig, deprecatedVariables, readConfig } from './config.ts'
import { SECTIONS } from './config-meaning.ts'

const OLD = 'https://sqs.eu-central-1.amazonaws.com/1/old'
const NEW = 'https://sqs.eu-central-1.amazonaws.com/1/new'

test('ERRAND_QUEUE_URL still names the task queue, with a warning; TASK_QUEUE_URL takes precedence', () => {
  expect(readConfig({ ERRAND_QUEUE_URL: OLD }).TASK_QUEUE_URL).toBe(OLD)
  expect(readConfig({ ERRAND_QUEUE_URL: OLD, TASK_QUEUE_URL: NEW }).TASK_QUEUE_URL).toBe(NEW)
  expect(deprecatedVariables({ ERRAND_QUEUE_URL: OLD })).toEqual(['ERRAND_QUEUE_URL is deprecated and will be removed: set TASK_QUEUE_URL.'])
  expect(deprecatedVariables({ TASK_QUEUE_URL: NEW, ERRAND_QUEUE_URL: '' })).toEqual([])
})

test('every variable is described in exactly one section', () => {
  const described = Object.values(SECTIONS).flatMap((section) => Object.keys(section))
  expect(described.toSorted()).toEqual(Object.keys(BaseConfig.shape).toSorted())
})
