// The contract of every source of secrets. `open` returns a source with the given contents; `writable` is false for sources that are filled
// elsewhere.
import { expect, test } from 'vitest'
import type { SecretName, Secrets } from './secrets.ts'

export type SecretsUnderTest = {
  readonly writable: boolean
  /** A source with exactly these contents. */
  readonly open: (contents: Readonly<Partial<Record<SecretName, string>>>) => Promise<Secrets>
}

export const secretsContract = (name: string, { writable, open }: SecretsUnderTest): void => {
  test(`${name}: reads its contents, and nothing else`, async () => {
    const secrets = await open({ HASH_KEY: 'a=b\n ü', MASTER_KEYS: 'm:1' })
    expect(await secrets.read('HASH_KEY')).toBe('a=b\n ü')
    expect(await secrets.read('MASTER_KEYS')).toBe('m:1')
    expect(await secrets.read('JWT_DEF_SECRET')).toBeUndefined()
  })

  if (!writable) {
    test(`${name}: refuses writes, with an error that does not contain the value`, async () => {
      const secrets = await open({ HASH_KEY: 'before' })
      const refused = await secrets.write('HASH_KEY', 'hush-hush').catch((error: unknown) => String(error))
      expect(refused).toMatch(/HASH_KEY/)
      expect(refused).not.toContain('hush-hush')
      expect(await secrets.read('HASH_KEY')).toBe('before')
    })
    return
  }

  test(`${name}: a write replaces one text and leaves the others`, async () => {
    const secrets = await open({ HASH_KEY: 'before', MASTER_KEYS: 'm:1' })
    await secrets.write('HASH_KEY', 'after')
    expect(await secrets.read('HASH_KEY')).toBe('after')
    expect(await secrets.read('MASTER_KEYS')).toBe('m:1')
  })

  test(`${name}: concurrent writes are all kept`, async () => {
    const secrets = await open({})
    const names = ['HASH_KEY', 'MASTER_KEYS', 'JWT_DEF_SECRET', 'JWT_SDK_SECRET'] as const
    await Promise.all(names.map((secret) => secrets.write(secret, secret.toLowerCase())))
    expect(await Promise.all(names.map((secret) => secrets.read(secret)))).toEqual(names.map((secret) => secret.toLowerCase()))
  })
}
