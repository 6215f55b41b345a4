import { createHash } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { directory } from '#db/engine/tenant'
import { findSigningKey, listSigningKeys } from '#db/store/signing-keys'
import { fixedClock } from '#shared/kernel/clock'
import { ownDb } from '#tests/support/database'
import { anInstance, clearSigningKeys, TEST_MASTER_KEYS } from '#tests/support/signing-keys'
import { createSigningKeys, type Signer } from './signing-keys.ts'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const HOUR = 3600
const DAY = 24 * HOUR
const start = () => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  return { clock, ...anInstance(db, clock) }
}
const states = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await listSigningKeys(directory(db))).map((key) => [key.kid, `${key.alg} ${key.status}`]))
const sign = ({ key, kid, alg }: Signer): Promise<string> => new CompactSign(new Uint8Array([1])).setProtectedHeader({ alg, kid }).sign(key)

test('keys are created at first use: one current and one next, named by their thumbprints (RFC 7638)', async () => {
  const { signingKeys, changes } = start()
  const signer = await signingKeys.signer('ES256')
  expect(Object.values(await states()).sort()).toEqual(['ES256 current', 'ES256 next'])
  expect((await states())[signer.kid]).toBe('ES256 current')
  expect(changes.map(({ event }) => event)).toEqual(['signing_key.created', 'signing_key.created'])
  const { keys } = await signingKeys.jwks()
  for (const jwk of keys) expect(await calculateJwkThumbprint(jwk as JWK)).toBe(jwk.kid)
})

test.each(['ES256', 'RS256'] as const)('the published key verifies signatures of the %s signer', async (alg) => {
  const { signingKeys } = start()
  const signer = await signingKeys.signer(alg)
  const jws = await sign(signer)
  const jwk = (await signingKeys.jwks()).keys.find(({ kid }) => kid === signer.kid)
  expect((await compactVerify(jws, await importJWK(jwk as JWK, alg))).protectedHeader.kid).toBe(signer.kid)
  expect((await signingKeys.verifier(signer.kid))?.alg).toBe(alg)
  expect(signer.key.extractable).toBe(false)
})

test('the JWKS has only the members of a public key, kid, alg and use', async () => {
  const { signingKeys } = start()
  await signingKeys.rotate(db)
  const { keys } = await signingKeys.jwks()
  const shape = (jwk: Readonly<Record<string, unknown>>) => `${jwk.alg} ${jwk.use}: ${Object.keys(jwk).sort().join(' ')}`
  expect(keys.map(shape).sort()).toEqual([
    'ES256 sig: alg crv kid kty use x y',
    'ES256 sig: alg crv kid kty use x y',
    'RS256 sig: alg e kid kty n use',
    'RS256 sig: alg e kid kty n use',
  ])
  for (const { n } of keys) if (typeof n === 'string') expect(Buffer.from(n, 'base64url').length).toBe(256)
})

test('private keys are encrypted in the database', async () => {
  const { signingKeys, keyring } = start()
  const { kid } = await signingKeys.signer('ES256')
  const row = await findSigningKey(directory(db), kid)
  const opened = JSON.parse(await keyring.openForDeployment(row?.sealedPrivateJwk ?? new Uint8Array(), `signing_keys/ES256/${kid}`))
  expect(JSON.stringify(row?.publicJwk)).not.toContain(opened.d)
  expect(Buffer.from(row?.sealedPrivateJwk ?? []).includes(opened.d)).toBe(false)
})

test('the JWKS document is built once per set of keys and has its own entity tag', async () => {
  const { signingKeys } = start()
  const first = await signingKeys.jwksDocument()
  expect(JSON.parse(first.body)).toEqual(await signingKeys.jwks())
  expect(first.etag).toBe(`"${createHash('sha256').update(first.body).digest('base64url')}"`)
  expect(await signingKeys.jwksDocument()).toBe(first)
  await signingKeys.revoke((await signingKeys.signer('ES256')).kid)
  const second = await signingKeys.jwksDocument()
  expect(second.etag).not.toBe(first.etag)
  expect(JSON.parse(second.body)).toEqual(await signingKeys.jwks())
})

test('rotation: the next key signs after a month, the old one verifies for 25 more hours, and every key is published a day before it signs', async () => {
  const { clock, signingKeys, changes } = start()
  await signingKeys.rotate(db)
  const old = await signingKeys.signer('ES256')
  clock.advance(30 * DAY - 1)
  expect(await signingKeys.rotate(db)).toEqual([])
  const next = (await listSigningKeys(directory(db))).find((key) => key.alg === 'ES256' && key.status === 'next')
  clock.advance(1)
  changes.length = 0
  const changed = await signingKeys.rotate(db)
  expect(changed).toHaveLength(6)
  expect(changes.filter(({ alg }) => alg === 'ES256').map(({ event }) => event)).toEqual(['signing_key.rotated', 'signing_key.created'])
  const now = await signingKeys.signer('ES256')
  expect(now.kid).toBe(next?.kid)
  expect(clock.now().getTime() - (next?.createdAt.getTime() ?? 0)).toBeGreaterThanOrEqual(DAY * 1000)
  expect((await signingKeys.jwks()).keys.map(({ kid }) => kid)).toContain(old.kid)

  clock.advance(25 * HOUR - 1)
  expect((await signingKeys.verifier(old.kid))?.kid).toBe(old.kid)
  clock.advance(1)
  expect(await signingKeys.verifier(old.kid)).toBeUndefined()
  expect((await signingKeys.jwks()).keys.map(({ kid }) => kid)).not.toContain(old.kid)
  expect(await states()).toHaveProperty(old.kid)
  await signingKeys.rotate(db)
  expect(await states()).not.toHaveProperty(old.kid)
})

test('a next key already verifies, because another instance may have just promoted it', async () => {
  const [here, there] = [start(), start()]
  await there.signingKeys.jwks()
  const { kid } = await there.signingKeys.signer('ES256')
  await here.signingKeys.revoke(kid)
  const promoted = await here.signingKeys.signer('ES256')
  expect((await there.signingKeys.verifier(promoted.kid))?.kid).toBe(promoted.kid)
})

test.each(['current', 'next'] as const)(
  'a revoked %s key is gone at once here and within two seconds elsewhere, and its place is filled',
  async (status) => {
    const [here, there] = [start(), start()]
    await here.signingKeys.signer('ES256')
    const rows = await listSigningKeys(directory(db))
    const kid = rows.find((key) => key.status === status)?.kid ?? ''
    expect((await there.signingKeys.verifier(kid))?.kid).toBe(kid)
    const next = rows.find((key) => key.status === 'next')?.kid
    await here.signingKeys.revoke(kid)

    expect(await here.signingKeys.verifier(kid)).toBeUndefined()
    expect((await here.signingKeys.jwks()).keys.map((jwk) => jwk.kid)).not.toContain(kid)
    const signer = await here.signingKeys.signer('ES256')
    expect(signer.kid).not.toBe(kid)
    if (status === 'current') expect(signer.kid).toBe(next)
    expect(Object.values(await states()).sort()).toEqual(['ES256 current', 'ES256 next'])
    expect(here.changes.map(({ event }) => event)).toContain('signing_key.revoked')

    there.clock.advance(2)
    expect(await there.signingKeys.verifier(kid)).toBeUndefined()
    expect((await there.signingKeys.signer('ES256')).kid).toBe(signer.kid)
  },
)

test('revoking destroys the private key; revoking twice is not an error and writes one event; an unknown key is not_found', async () => {
  const { signingKeys, changes } = start()
  const { kid } = await signingKeys.signer('ES256')
  await signingKeys.revoke(kid)
  await signingKeys.revoke(kid)
  expect(await findSigningKey(directory(db), kid)).toMatchObject({ status: 'revoked', sealedPrivateJwk: expect.objectContaining({ length: 0 }) })
  expect(changes.filter(({ event }) => event === 'signing_key.revoked')).toEqual([{ event: 'signing_key.revoked', kid, alg: 'ES256' }])
  await expect(signingKeys.revoke("x'; drop table authsec.signing_keys; --")).rejects.toMatchObject({ code: 'not_found' })
})

test('a retired key can be revoked', async () => {
  const { clock, signingKeys } = start()
  const { kid } = await signingKeys.signer('ES256')
  clock.advance(30 * DAY)
  await signingKeys.rotate(db)
  expect((await signingKeys.verifier(kid))?.kid).toBe(kid)
  await signingKeys.revoke(kid)
  expect(await signingKeys.verifier(kid)).toBeUndefined()
})

test('a change and its audit event share a transaction', async () => {
  const { clock, keyring, signingKeys } = start()
  const failing = createSigningKeys({ db, keyring, clock, record: () => Promise.reject(new Error('no record')) })
  await expect(failing.signer('ES256')).rejects.toThrow('no record')
  expect(await states()).toEqual({})
  const { kid } = await signingKeys.signer('ES256')
  await expect(failing.revoke(kid)).rejects.toThrow('no record')
  expect((await states())[kid]).toBe('ES256 current')
})

test('a public key planted in the table verifies nothing', async () => {
  const { signingKeys } = start()
  const { kid } = await signingKeys.signer('ES256')
  const forged = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey)
  const write = (text: string, params: unknown[]) => directory(db).run({ text, params, arrays: false })
  await write(`update authsec.signing_keys set public_jwk = $1 where kid = $2`, [JSON.stringify(forged), kid])
  await write(
    `insert into authsec.signing_keys (kid, alg, status, public_jwk, sealed_private_jwk, created_at, retires_at)
     select 'forged', alg, 'retired', $1, sealed_private_jwk, created_at, '2099-01-01' from authsec.signing_keys where kid = $2`,
    [JSON.stringify(forged), kid],
  )
  const another = start()
  expect(await another.signingKeys.verifier('forged')).toBeUndefined()
  const { keys } = await another.signingKeys.jwks()
  expect(keys).toHaveLength(2)
  expect(keys.find((jwk) => jwk.kid === kid)?.x).not.toBe(forged.x)
})

test('re-wrapping seals private keys with a new master key, after which the old one can be removed', async () => {
  const { clock, signingKeys } = start()
  const { kid } = await signingKeys.signer('ES256')
  const other = await signingKeys.signer('RS256')
  await signingKeys.revoke(other.kid)
  const next = { id: 'next', key: new Uint8Array(32).fill(3) }
  const both = anInstance(db, clock, [next, ...TEST_MASTER_KEYS])
  expect(await both.signingKeys.rewrap(db)).toBe(4)
  expect(await both.signingKeys.rewrap(db)).toBe(0)
  expect((await anInstance(db, clock, [next]).signingKeys.signer('ES256')).kid).toBe(kid)
  const without = anInstance(db, clock, TEST_MASTER_KEYS)
  await expect(without.signingKeys.signer('ES256')).rejects.toThrow(/MASTER_KEYS/)
  expect(await without.signingKeys.verifier(kid)).toBeUndefined()
})
