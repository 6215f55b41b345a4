import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { verify as packageVerify } from '@node-rs/argon2'
import { hash as bcrypt } from 'bcryptjs'
import { build } from 'esbuild'
import { argon2Verify } from 'hash-wasm'
import { expect, test } from 'vitest'
import { AppError } from '#shared/kernel/errors'
import { ARGON2_COST, type Argon2Engine, formatPhc, parsePhc } from './argon2.ts'
import { argon2Native } from './argon2-native.ts'
import { argon2Wasm } from './argon2-wasm.ts'
import { loadArgon2, loadPasswordHash } from './load-password-hash.ts'
import { passwordHash } from './password-hash.ts'

const native = passwordHash({ engine: argon2Native })
const wasm = passwordHash({ engine: argon2Wasm })
const password = 'correct horse – батарея'
const right = { fits: true, renew: false }
const wrong = { fits: false, renew: false }

test.each([argon2Native, argon2Wasm])("$name computes the reference implementation's test vector", async ({ derive }) => {
  // phc-winner-argon2, src/test.c: argon2id, version 0x13.
  const digest = await derive('password', Buffer.from('somesalt'), { memoryKib: 65_536, passes: 2, lanes: 1 }, 32)
  expect(Buffer.from(digest).toString('hex')).toBe('09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7')
})

test("each engine verifies the other's strings, and so do the packages themselves", async () => {
  const [one, other] = [await native.hash(password), await wasm.hash(password)]
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await native.verify(password, other)).toEqual(right)
  expect(await wasm.verify(password, one)).toEqual(right)
  expect(await wasm.verify(`${password}x`, one)).toEqual(wrong)
  expect(await native.verify(`${password}x`, other)).toEqual(wrong)
  expect(await packageVerify(other, password)).toBe(true)
  expect(await argon2Verify({ hash: one, password })).toBe(true)
})

test('two hashes of one password share no salt', async () => {
  expect(await native.hash(password)).not.toBe(await native.hash(password))
})

test('composed and decomposed letters are the same password, compatibility forms are not (NFC)', async () => {
  const stored = await native.hash('Å-und-ﬁnf-Würfel')
  expect(await native.verify('A\u030a-und-ﬁnf-Wu\u0308rfel', stored)).toEqual(right)
  expect(await native.verify('Å-und-finf-Würfel', stored)).toEqual(wrong)
})

test.each(['2a', '2b', '2y'])('a bcrypt hash with prefix $%s is verified and marked for renewal', async (version) => {
  const stored = (await bcrypt('hunter2', 4)).replace('$2b$', `$${version}$`)
  expect(await native.verify('hunter2', stored)).toEqual({ fits: true, renew: true })
  expect(await native.verify('hunter3', stored)).toEqual(wrong)
})

test('bcrypt: 72 bytes match; longer passwords and passwords with a null never do', async () => {
  const long = 'ü'.repeat(36)
  const stored = await bcrypt(long, 4)
  expect(await native.verify(long, stored)).toEqual({ fits: true, renew: true })
  expect(await native.verify(`${long}x`, stored)).toEqual(wrong)
  expect(await native.verify('a\0b', await bcrypt('a\0b', 4))).toEqual(wrong)
})

test.each([
  [{ ...ARGON2_COST, memoryKib: 19_455 }, 16, 32, true],
  [{ ...ARGON2_COST, passes: 1 }, 16, 32, true],
  [ARGON2_COST, 8, 32, true],
  [ARGON2_COST, 16, 16, true],
  [{ memoryKib: 47_104, passes: 2, lanes: 2 }, 32, 64, false],
])('parameters %j, salt %i, digest %i: renew %s', async (cost, saltBytes, length, renew) => {
  const salt = Buffer.alloc(saltBytes, 7)
  const stored = formatPhc({ cost, salt, digest: await argon2Native.derive('secret', salt, cost, length) })
  expect(await native.verify('secret', stored)).toEqual({ fits: true, renew })
  expect(await native.verify('Secret', stored)).toEqual(wrong)
})

const malformed = [
  '',
  'x',
  'plain-text',
  '$argon2id$',
  '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA',
  '$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=262144,t=999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=8,t=1,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
  '$2b$31$1234567890123456789012uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu',
  '$2x$04$1234567890123456789012uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu',
  '$2b$04$short',
]

test.each(malformed)('an unreadable stored hash matches nothing and costs one hash: %j', async (stored) => {
  const before = native.computed()
  expect(await native.verify('x', stored)).toEqual(wrong)
  expect(native.computed() - before).toBe(1)
})

test('a truncated argon2id hash of any length is refused without a throw', () => {
  const stored = formatPhc({ cost: ARGON2_COST, salt: Buffer.alloc(16), digest: Buffer.alloc(32) })
  for (let length = 0; length < stored.length - 22; length += 1) expect(parsePhc(stored.slice(0, length))).toBeUndefined()
  expect(parsePhc(`${stored}\n`)).toBeUndefined()
})

test('every call computes exactly one hash: no account, wrong, right, bcrypt, too long for bcrypt', async () => {
  const passwords = passwordHash({ engine: argon2Native })
  const costs: number[] = []
  const stored = await passwords.hash('right')
  expect(passwords.computed()).toBe(1)
  const old = await bcrypt('right', 4)
  for (const [text, hash] of [
    ['right', undefined],
    ['wrong', stored],
    ['right', stored],
    ['', stored],
    ['right', old],
    ['wrong', old],
    ['r'.repeat(99), old],
  ] as const) {
    const before = passwords.computed()
    await passwords.verify(text, hash)
    costs.push(passwords.computed() - before)
  }
  expect(costs).toEqual([1, 1, 1, 1, 1, 1, 1])
})

test('without a stored hash no password matches, and the check costs as much as with one', async () => {
  const calls: unknown[] = []
  const watching: Argon2Engine = {
    name: 'native',
    derive: (text, salt, cost, length) => {
      calls.push({ cost, length, salt: salt.length })
      return argon2Native.derive(text, salt, cost, length)
    },
  }
  const passwords = passwordHash({ engine: watching })
  for (const text of ['', 'anything']) expect(await passwords.verify(text, undefined)).toEqual(wrong)
  await passwords.hash('x')
  expect(calls).toEqual(Array.from({ length: 3 }, () => ({ cost: ARGON2_COST, length: 32, salt: 16 })))
})

test('an empty password matches nothing on either engine', async () => {
  const stored = await native.hash('x')
  for (const passwords of [native, wasm]) expect(await passwords.verify('', stored)).toEqual(wrong)
})

test('at most maxConcurrent hashes run at once, waiting ones run in order, and a full queue refuses', async () => {
  let running = 0
  let most = 0
  const counting: Argon2Engine = {
    name: 'native',
    derive: async (text, salt, cost, length) => {
      running += 1
      most = Math.max(most, running)
      try {
        if (text === 'fails') throw new Error('out of memory')
        return await argon2Native.derive(text, salt, { ...cost, memoryKib: 8 }, length)
      } finally {
        running -= 1
      }
    },
  }
  const passwords = passwordHash({ engine: counting, maxConcurrent: 2, maxWaiting: 8 })
  const outcomes = await Promise.allSettled(['fails', 'fails', ...Array.from({ length: 10 }, () => 'x')].map((text) => passwords.hash(text)))
  expect(most).toBe(2)
  const refused = outcomes.flatMap((o) => (o.status === 'rejected' && o.reason instanceof AppError ? [o.reason] : []))
  expect(refused.map((e) => [e.code, e.details.retryAfterSeconds])).toEqual([
    ['unavailable', 2],
    ['unavailable', 2],
  ])
  expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(8)
  // The two failed hashes have released their places.
  await Promise.all([passwords.hash('x'), passwords.hash('x'), passwords.hash('x')])
  expect(most).toBe(2)
})

test('the native engine is used where it loads', async () => {
  expect((await loadArgon2()).name).toBe('native')
  const passwords = await loadPasswordHash()
  expect(await passwords.verify(password, await wasm.hash(password))).toEqual(right)
})

test('a bundle without the native package uses WebAssembly', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'password-hash-'))
  try {
    await build({
      entryPoints: [fileURLToPath(new URL('./load-password-hash.ts', import.meta.url))],
      outdir: folder,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      outExtension: { '.js': '.mjs' },
      external: ['@node-rs/argon2'],
    })
    const stored = await native.hash('a password')
    await writeFile(
      join(folder, 'main.mjs'),
      `import { loadArgon2, loadPasswordHash } from './load-password-hash.mjs'
      const { name } = await loadArgon2()
      console.log(JSON.stringify([name, await (await loadPasswordHash()).verify('a password', ${JSON.stringify(stored)})]))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'main.mjs')])
    expect(JSON.parse(stdout)).toEqual(['wasm', right])
  } finally {
    await rm(folder, { recursive: true })
  }
})
