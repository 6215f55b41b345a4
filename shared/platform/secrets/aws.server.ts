// Runs the contract against an emulator of AWS Secrets Manager.
import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { awsAccessFrom } from '#shared/platform/aws/call'
import { AWS_ENVIRONMENT, startAws } from '#tests/support/aws'
import { awsSecrets, functionSecrets } from './aws.ts'
import { secretsContract } from './secrets.contract.ts'
import type { SecretName } from './secrets.ts'

const { endpoint, stop } = await startAws()
afterAll(stop)

secretsContract('AWS Secrets Manager', {
  writable: true,
  open: async (kept) => {
    const secrets = awsSecrets({ prefix: `test-${randomUUID()}`, endpoint })
    for (const [name, value] of Object.entries(kept)) await secrets.write(name as SecretName, value)
    return secrets
  },
})

const access = awsAccessFrom({ ...AWS_ENVIRONMENT, AWS_ENDPOINT_URL: endpoint })
if (access === undefined) throw new Error('no credentials')

secretsContract('AWS Secrets Manager, as a function reads it', {
  writable: false,
  open: async (kept) => {
    const prefix = `test-${randomUUID()}`
    const bySdk = awsSecrets({ prefix, endpoint })
    for (const [name, value] of Object.entries(kept)) await bySdk.write(name as SecretName, value)
    return functionSecrets(access, prefix)
  },
})

test('two deployments in one account keep separate secrets', async () => {
  const [one, two] = [awsSecrets({ prefix: 'one', endpoint }), awsSecrets({ prefix: 'two', endpoint })]
  await one.write('HASH_KEY', 'first')
  expect(await two.read('HASH_KEY')).toBeUndefined()
  await two.write('HASH_KEY', 'second')
  expect(await one.read('HASH_KEY')).toBe('first')
})

test('an unreachable service is an error, not a missing secret', async () => {
  const away = { prefix: 'p', endpoint: 'http://127.0.0.1:1' }
  await expect(awsSecrets(away).read('HASH_KEY')).rejects.toThrow()
  await expect(functionSecrets({ ...access, ...away }, 'p').read('HASH_KEY')).rejects.toThrow()
})
