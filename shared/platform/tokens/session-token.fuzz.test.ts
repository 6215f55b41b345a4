import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ownDb } from '#tests/support/database'
import { grant, REFUSED, refusedAs, SECRET, tokenWorld } from '#tests/support/session-tokens'
import { clearSigningKeys } from '#tests/support/signing-keys'
import { issueSessionToken } from './session-token.ts'

const db = await ownDb()
await clearSigningKeys(db)
afterAll(() => clearSigningKeys(db))

test('no altered token verifies, and only invalid_token is thrown', async () => {
  const worlds = [tokenWorld(db), tokenWorld(db, { JWT_DEF_SECRET: SECRET })]
  const tokens = await Promise.all(worlds.map(async (ctx) => (await issueSessionToken(ctx, grant())).token))
  const place = fc.nat(10_000)
  const character = fc.oneof(fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }), fc.constantFrom(...'ABCXYZabcxyz0189-_.=+/ \n\u0000\ud800'))
  const change = fc.oneof(
    fc.tuple(place, character).map(
      ([i, c]) =>
        (token: string) =>
          token.slice(0, i % token.length) + c + token.slice((i % token.length) + 1),
    ),
    fc.tuple(place, character).map(
      ([i, c]) =>
        (token: string) =>
          token.slice(0, i % token.length) + c + token.slice(i % token.length),
    ),
    place.map((i) => (token: string) => token.slice(0, i % token.length)),
    fc.tuple(place, place).map(
      ([i, j]) =>
        (token: string) =>
          token.slice(0, i % token.length) + token.slice(j % token.length),
    ),
    fc.tuple(place, fc.nat(7)).map(([i, bit]) => (token: string) => {
      const segments = token.split('.').map((segment) => Buffer.from(segment, 'base64url'))
      const segment = segments[i % 3] ?? Buffer.alloc(0)
      segment[i % segment.length] = (segment[i % segment.length] ?? 0) ^ (1 << bit)
      return segments.map((bytes) => bytes.toString('base64url')).join('.')
    }),
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => () => text),
    fc.constantFrom(...tokens).map((other) => (token: string) => [...token.split('.').slice(0, 2), other.split('.')[2]].join('.')),
  )
  const property = fc.asyncProperty(fc.nat(1), change, async (which, changed) => {
    const [ctx, token] = [worlds[which], tokens[which]]
    if (ctx === undefined || token === undefined || changed(token) === token) return
    expect(await refusedAs(ctx, changed(token))).toBe(REFUSED)
  })
  await fc.assert(property, { numRuns: 1500 })
})
