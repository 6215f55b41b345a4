// The contract of every source of breached passwords.
import { expect, test } from 'vitest'
import type { BreachedPasswords } from './breached.ts'

const BREACHED = [
  'password',
  'PassWord',
  'qwertyuiop',
  'passwordpassword',
  'passwordpasswor',
  'P@ssw0rd2024!!!!',
  'Pa$$w0rdPa$$w0rd',
  'Summer2025!Summer2025!',
  'Winter-2026-2027',
  '2024-dragon-2024',
  'd.r.a.g.o.n.1.2.3',
  'letmein123456789',
  'LetMeInNow!!!!!!!',
  '1qaz2wsx3edc4rfv',
  'zaq1xsw2cde3vfr4',
  'qwertyuiop1234567890',
  'poiuytrewqlkjhgfdsa',
  'abcdefghijklmnopqr',
  'aaaaaaaaaaaaaaaa',
  'abcabcabcabcabc',
  '123456789012345',
  '987654321098765',
  '123123123123123',
  '                ',
  '!!!!!!!!!!!!!!!',
  'iloveyouiloveyou',
  'administrator123',
]
const FINE = [
  'correct horse staple battery',
  'tangerine-hovers-outside',
  'mRk7-vQ2x-Lw9p-Tz4h',
  '8f3a91c77be042d6',
  'Schlüsselblume am Bach',
  'пароль которого нет нигде',
  '🦊🌲🚲 over the hill 🌧',
  '503918264470215',
]

export const breachedContract = (name: string, make: () => Promise<BreachedPasswords>): void => {
  test.each(BREACHED)(`${name}: breached or derived: %j`, async (password) => {
    expect(await (await make()).has(password)).toBe(true)
  })
  test.each(FINE)(`${name}: not breached: %j`, async (password) => {
    expect(await (await make()).has(password)).toBe(false)
  })
  test(`${name}: answers for any text`, async () => {
    const source = await make()
    for (const text of ['', '\0', '\ud800', '1', 'İ', 'a'.repeat(100_000), '1a'.repeat(50_000), `${'1'.repeat(50_000)}a`])
      expect(typeof (await source.has(text))).toBe('boolean')
  })
}
