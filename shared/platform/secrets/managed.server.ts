// Reads variables from an emulator of AWS Secrets Manager.
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '#shared/kernel/config'
import { startAws } from '#tests/support/aws'
import { awsSecrets } from './aws.ts'
import { withManagedSecrets } from './managed.ts'

const { endpoint, stop } = await startAws()
afterAll(stop)

const open = async (prefix: string) => awsSecrets({ prefix, endpoint }).read
const named = { SECRETS_MANAGER_PREFIX: 'authsec/managed', SECRETS_MANAGER_NAMES: 'DATABASE_URL,HASH_KEY' }

test('a function reads the named secrets at their current version, and the environment takes precedence', async () => {
  const kept = awsSecrets({ prefix: 'authsec/managed', endpoint })
  await kept.write('DATABASE_URL', 'postgres://first')
  await kept.write('DATABASE_URL', 'postgres://second')
  await kept.write('HASH_KEY', 'hash')
  await kept.write('SMTP_URL', 'smtp://not-requested')
  expect(await withManagedSecrets({ ...named, HASH_KEY: 'own' }, open)).toEqual({ ...named, DATABASE_URL: 'postgres://second', HASH_KEY: 'own' })
})

test('a missing secret or an unreachable service stops the start with the variable’s name', async () => {
  const absent = withManagedSecrets({ ...named, SECRETS_MANAGER_NAMES: 'REDIS_URL' }, open)
  await expect(absent).rejects.toThrow(new ConfigError('REDIS_URL: is not in Secrets Manager, below authsec/managed'))
  const away = withManagedSecrets(named, async (prefix) => awsSecrets({ prefix, endpoint: 'http://127.0.0.1:1' }).read)
  await expect(away).rejects.toThrow(/^(DATABASE_URL|HASH_KEY): cannot be read from Secrets Manager/)
})

test('without names nothing is read', async () => {
  const env = { SECRETS_MANAGER_PREFIX: 'authsec/managed' }
  expect(await withManagedSecrets(env, () => Promise.reject(new Error('read')))).toBe(env)
})
