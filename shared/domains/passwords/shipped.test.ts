import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { breachedContract } from './breached.contract.ts'
import { coreOf, formsOf, unitOf } from './forms.ts'
import { listedWord, shippedList } from './shipped.ts'

breachedContract('shipped list', async () => shippedList())

test('random passwords of 15 characters are not taken for listed ones', async () => {
  const passwords = fc.sample(fc.string({ unit: 'grapheme-ascii', minLength: 15, maxLength: 15 }), { numRuns: 2000, seed: 7 })
  const list = shippedList()
  const taken: string[] = []
  for (const password of passwords) if (await list.has(password)) taken.push(password)
  expect(taken).toEqual([])
})

test('the piece that a text repeats', () => {
  expect(['abab', 'ababa', 'abca', 'abcab', 'aaaa', 'a', '', 'passwordpassw', 'passwordpas'].map(unitOf)).toEqual([
    'ab',
    'ab',
    'abca',
    'abc',
    'a',
    'a',
    '',
    'password',
    'passwordpas',
  ])
})

test('the core of a padded word keeps letters of every script, composed or not', () => {
  expect(['12пароль!!', '--a\u0301b3c--', '2024', 'ab1'].map(coreOf)).toEqual(['пароль', 'a\u0301b3c', '', 'ab'])
})

test('look-alike signs are read both ways', () => {
  const forms = formsOf('pa55w0rd!')
  expect(forms.has('password')).toBe(true)
  expect(formsOf('we1c0me').has('welcome')).toBe(true)
})

test('what a leaked password is listed as', () => {
  expect(['Dragon123', '123456789q', 'abc123', 'passwordpassword', '1234'].map(listedWord)).toEqual([
    'dragon',
    '123456789q',
    undefined,
    'passwordpassword',
    undefined,
  ])
})
