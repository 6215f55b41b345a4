import { expect, test } from 'vitest'
import { handleId, isUuid, parseUuid, splitHandle } from './ids.ts'

const ID = '0198b2c4-5d6e-7f80-91a2-b3c4d5e6f708'
const SECRET = 'a-_Z'.repeat(10).padEnd(43, '0')

test.each([ID, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])('%s is a UUID', (id) => {
  expect(isUuid(id)).toBe(true)
})

test.each([ID.toUpperCase(), `${ID}\n`, ` ${ID}`, `{${ID}}`, ID.replaceAll('-', ''), ID.slice(1), '', undefined, 7, [ID]])(
  '%j is not a UUID',
  (value) => {
    expect(isUuid(value)).toBe(false)
  },
)

test('a UUID is read in any letter case and returned in lower case', () => {
  expect([ID.toUpperCase(), ID].map(parseUuid)).toEqual([ID, ID])
  expect([`${ID} `, undefined, 7].map(parseUuid)).toEqual([undefined, undefined, undefined])
})

test('a handle is the id of its owner and a secret of exactly the expected length', () => {
  expect(splitHandle(`${ID}.${SECRET}`)).toEqual({ id: ID, secret: SECRET })
  expect(splitHandle(`${ID}.${'a'.repeat(112)}`, 112)).toEqual({ id: ID, secret: 'a'.repeat(112) })
  for (const text of [
    undefined,
    '',
    ID,
    `${ID}.`,
    `${ID}.${SECRET}a`,
    `${ID}.${SECRET.slice(1)}`,
    `${ID}.${SECRET}\n`,
    `${ID}.${SECRET.slice(1)}+`,
    `x${ID}.${SECRET}`,
  ])
    expect(splitHandle(text)).toBeUndefined()
})

test('the owner of a handle is known whatever its secret is', () => {
  expect(handleId(`${ID}.anything`)).toBe(ID)
  for (const text of ['', ID, `${ID} .x`, `${ID.toUpperCase()}.x`]) expect(handleId(text)).toBeUndefined()
})
