// The contract against an emulator of AWS.
import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { startAws } from '../testing/aws.ts'
import { awsSecrets } from './aws.ts'
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

test('secrets of two deployments in one account do not mix', async () => {
  const [one, two] = [awsSecrets({ prefix: 'one', endpoint }), awsSecrets({ prefix: 'two', endpoint })]
  await one.write('HASH_KEY', 'first')
  expect(await two.read('HASH_KEY')).toBeUndefined()
  await two.write('HASH_KEY', 'second')
  expect(await one.read('HASH_KEY')).toBe('first')
})

test('a refusal is no absence', async () => {
  await expect(awsSecrets({ prefix: 'p', endpoint: 'http://127.0.0.1:1' }).read('HASH_KEY')).rejects.toThrow()
})
