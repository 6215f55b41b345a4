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

test('production with a provider of text messages names the countries that they may go to', () => {
  const twilio = { TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`, TWILIO_AUTH_TOKEN: 'x'.repeat(16), TWILIO_FROM_NUMBER: '+4930123456' }
  const addresses = { BASE_URL: 'https://id.example.com', DATABASE_URL: 'postgres://unused', REDIS_URL: 'redis://unused', SMTP_URL: 'smtp://unused' }
  const production = { ENVIRONMENT: 'production', ...addresses, SIGN_UP: 'open', MASTER_KEYS: 'm', HASH_KEY: 'h' }
  expect(() => readConfig({ ...production, ...twilio })).toThrow('SMS_COUNTRY_PREFIXES: must be set in production where TWILIO_* is set')
  expect(readConfig({ ...production, ...twilio, SMS_COUNTRY_PREFIXES: '+49, +43' }).SMS_COUNTRY_PREFIXES).toEqual(['+49', '+43'])
  expect(readConfig(production).SMS_COUNTRY_PREFIXES).toEqual([])
  expect(readConfig(twilio).SMS_COUNTRY_PREFIXES).toEqual([])
  for (const prefix of ['49', '+', '+0', '*', '+49 170', '+12345678'])
    expect(() => readConfig({ SMS_COUNTRY_PREFIXES: prefix }), prefix).toThrow('SMS_COUNTRY_PREFIXES')
  expect(() => readConfig({ SMS_PER_HOUR: '-1' })).toThrow('SMS_PER_HOUR')
})
