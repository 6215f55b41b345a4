import { expect, test } from 'vitest'
import { AppError } from '#shared/kernel/errors'
import { bundledBreachedPasswords } from './bundled-list.ts'
import { checkNewPassword, type NewPassword } from './policy.ts'

const list = bundledBreachedPasswords()
const ana = { email: 'ana.lopez@acme.example', name: 'Ana María López', tenantDomain: 'acme-corp.localhost' }

const check = async (password: string, more: Partial<NewPassword> = {}): Promise<unknown> => {
  try {
    await checkNewPassword({ password, secondFactorRequired: false, ...ana, ...more }, list)
    return 'accepted'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { code: error.code, status: error.status, field: error.details.field }
  }
}
const refused = (code: string, field = 'body.password') => ({ code, status: 400, field })

test.each([
  ['kq7zvx9mTw3pL2', false, refused('password_too_short')],
  ['kq7zvx9mTw3pL2r', false, 'accepted'],
  ['kq7zvx9mT', true, refused('password_too_short')],
  ['kq7zvx9mTw', true, 'accepted'],
  ['', true, refused('password_too_short')],
])('%j, second factor required %s: the minimum length', async (password, secondFactorRequired, outcome) => {
  expect(await check(password, { secondFactorRequired })).toEqual(outcome)
})

const sentence = 'How vexingly quick daft zebras jump; the five boxing wizards stay at home. '.repeat(2)
test('the maximum is 128 characters, counted as code points after composition', async () => {
  expect(await check(sentence.slice(0, 128))).toBe('accepted')
  expect(await check(sentence.slice(0, 129))).toEqual(refused('password_too_long'))
  const foxes = ['🦊', '🌲', '🚲', '🌧', '🍎', '🐝', '🎈', '🧦', '🪁', '🧲', '🪴', '🦔', '🛶', '🧭']
  expect(await check(foxes.join(''))).toEqual(refused('password_too_short'))
  expect(await check(`${foxes.join('')}🥁`)).toBe('accepted')
  // Fourteen letters, but 28 code points before composition.
  expect(await check('áéíóúñüàèìòùâê'.normalize('NFD'))).toEqual(refused('password_too_short'))
})

test('there are no rules of composition', async () => {
  for (const password of ['only small letters here', '503918264470215', 'ONLY CAPITAL LETTERS HERE', '   three spaces before', 'совсем другие буквы'])
    expect(await check(password)).toBe('accepted')
})

test.each(['passwordpassword', 'P@ssw0rd20242025', 'qwertyuiop123456', '111111111111111'])('breached or derived: %j', async (password) => {
  expect(await check(password)).toEqual(refused('password_breached'))
})

test.each([
  'ana.lopez@acme.example',
  'ANA.LOPEZ@ACME.EXAMPLE',
  'ana.lopez@acme.example!1',
  'ana.lopez2024-2025',
  'Ana María López',
  'ana mari\u0301a lo\u0301pez 1',
  'AnaMaríaLópez1!',
  'lopezlopezlopez',
  'López1234567890',
  'acme-corp.localhost',
  'acme-corp12345678',
  'acme.example1234',
  '4cm3-4cm3-4cm3-',
])("the person's own words: %j", async (password) => {
  expect(await check(password)).toEqual(refused('password_guessable'))
})

test('words of other people are accepted, and so is an own word among others', async () => {
  expect(await check('Ana María López', { name: 'Bo Li', email: 'bo@globex.example' })).toBe('accepted')
  expect(await check('lopez paints green boats')).toBe('accepted')
})

test.each(['kq7zvx9mTw3pL2r\0', '\0'.repeat(20), 'kq7zvx9mTw3pL2\ud800', '\udc00kq7zvx9mTw3pL2'])('invalid characters: %j', async (password) => {
  expect(await check(password)).toEqual(refused('invalid_request'))
})

test('the error names the member with the password', async () => {
  expect(await check('short', { field: 'body.new_password' })).toEqual(refused('password_too_short', 'body.new_password'))
})
