import { createECDH } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '#shared/kernel/clock'
import { type Random, systemRandom } from '#shared/kernel/random'
import { parseHashKey } from '#shared/platform/crypto/keyed-hash'
import { parseMasterKeys } from '#shared/platform/crypto/master-keys'
import { environmentSecrets } from './environment.ts'
import { generatePushKeys, generateSecrets } from './generate.ts'
import { sealedFileSecrets } from './sealed-file.ts'
import { secretsContract } from './secrets.contract.ts'
import type { SecretName } from './secrets.ts'

const random = systemRandom(systemClock)
const root = await mkdtemp(join(tmpdir(), 'secrets-'))
afterAll(() => rm(root, { recursive: true }))
const folder = (): string => join(root, random.id(), 'data')

secretsContract('environment', { writable: false, open: async (kept) => environmentSecrets({ ...kept, JWT_DEF_SECRET: '' }) })
secretsContract('sealed file', {
  writable: true,
  open: async (kept) => {
    const at = folder()
    const before = sealedFileSecrets(at, random)
    for (const [name, value] of Object.entries(kept)) await before.write(name as SecretName, value)
    return sealedFileSecrets(at, random)
  },
})

test('sealed file: reading an empty folder creates nothing', async () => {
  const at = folder()
  expect(await sealedFileSecrets(at, random).read('HASH_KEY')).toBeUndefined()
  await expect(readdir(at)).rejects.toThrow(/ENOENT/)
})

test('sealed file: two files that only the owner can read, no clear text, no temporary files', async () => {
  const at = folder()
  const secrets = sealedFileSecrets(at, random)
  await secrets.write('HASH_KEY', 'hush-hush')
  await secrets.write('HASH_KEY', 'hush-hush again')
  expect((await readdir(at)).sort()).toEqual(['secrets.key', 'secrets.sealed'])
  for (const name of ['secrets.key', 'secrets.sealed']) {
    expect((await stat(join(at, name))).mode & 0o777).toBe(0o600)
    expect((await readFile(join(at, name))).includes('hush')).toBe(false)
  }
})

test('sealed file: a damaged or orphaned file is refused and not changed', async () => {
  const at = folder()
  await sealedFileSecrets(at, random).write('HASH_KEY', 'kept')
  const sealed = await readFile(join(at, 'secrets.sealed'))
  await writeFile(
    join(at, 'secrets.sealed'),
    sealed.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
  )
  await expect(sealedFileSecrets(at, random).read('HASH_KEY')).rejects.toThrow(/changed or moved/)
  await expect(sealedFileSecrets(at, random).write('MASTER_KEYS', 'x')).rejects.toThrow(/changed or moved/)
  await writeFile(join(at, 'secrets.sealed'), sealed)
  expect(await sealedFileSecrets(at, random).read('HASH_KEY')).toBe('kept')
  await rm(join(at, 'secrets.key'))
  await expect(sealedFileSecrets(at, random).read('HASH_KEY')).rejects.toThrow(/is missing/)
  expect(await readdir(at)).toEqual(['secrets.sealed'])
})

test('sealed file: two processes that start concurrently use the first key', async () => {
  const at = folder()
  await mkdir(at, { recursive: true })
  const theirs = random.bytes(32)
  // The other process's key appears while this one creates its own.
  const overtaken: Random = {
    id: random.id,
    bytes: (count) => {
      if (count === 32) writeFileSync(join(at, 'secrets.key'), theirs)
      return random.bytes(count)
    },
  }
  await sealedFileSecrets(at, overtaken).write('HASH_KEY', 'kept')
  expect(new Uint8Array(await readFile(join(at, 'secrets.key')))).toEqual(theirs)
  expect(await sealedFileSecrets(at, random).read('HASH_KEY')).toBe('kept')
})

test('sealed file: a truncated key is reported as damaged', async () => {
  const at = folder()
  await sealedFileSecrets(at, random).write('HASH_KEY', 'kept')
  await writeFile(join(at, 'secrets.key'), random.bytes(31))
  await expect(sealedFileSecrets(at, random).read('HASH_KEY')).rejects.toThrow(/secrets\.key is damaged/)
})

test('the first start generates valid keys, and the second keeps them', async () => {
  const secrets = sealedFileSecrets(folder(), random)
  expect(await generateSecrets(secrets, random)).toEqual(['MASTER_KEYS', 'HASH_KEY'])
  const [masterKeys, hashKey] = [await secrets.read('MASTER_KEYS'), await secrets.read('HASH_KEY')]
  expect(parseMasterKeys(masterKeys ?? '')).toHaveLength(1)
  expect(parseHashKey(hashKey ?? '')).toHaveLength(32)
  expect(await generateSecrets(secrets, random)).toEqual([])
  expect(await secrets.read('MASTER_KEYS')).toBe(masterKeys)
  expect(await generateSecrets(environmentSecrets({ MASTER_KEYS: 'm:1', HASH_KEY: 'h' }), random)).toEqual([])
})

test('Web Push keys are a valid pair and are generated once', async () => {
  const at = folder()
  const made = await generatePushKeys(sealedFileSecrets(at, random))
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(made.privateKey, 'base64url')
  expect(pair.getPublicKey('base64url')).toBe(made.publicKey)
  expect([Buffer.from(made.publicKey, 'base64url').length, Buffer.from(made.privateKey, 'base64url').length]).toEqual([65, 32])
  expect(await generatePushKeys(sealedFileSecrets(at, random))).toEqual(made)
})
