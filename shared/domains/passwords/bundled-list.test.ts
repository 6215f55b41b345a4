import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { breachedContract } from './breached.contract.ts'
import { bundledBreachedPasswords, listedForm } from './bundled-list.ts'
import { comparableForms, repeatingUnit, wordCore } from './comparable-forms.ts'

breachedContract('shipped list', async () => bundledBreachedPasswords())

test('random passwords of 15 characters do not match the list', async () => {
  const passwords = fc.sample(fc.string({ unit: 'grapheme-ascii', minLength: 15, maxLength: 15 }), { numRuns: 2000, seed: 7 })
  const list = bundledBreachedPasswords()
  const taken: string[] = []
  for (const password of passwords) if (await list.has(password)) taken.push(password)
  expect(taken).toEqual([])
})

test('the repeating unit of a text', () => {
  expect(['abab', 'ababa', 'abca', 'abcab', 'aaaa', 'a', '', 'passwordpassw', 'passwordpas'].map(repeatingUnit)).toEqual([
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
  expect(['12пароль!!', '--a\u0301b3c--', '2024', 'ab1'].map(wordCore)).toEqual(['пароль', 'a\u0301b3c', '', 'ab'])
})

test('look-alike characters are replaced in both ways', () => {
  const forms = comparableForms('pa55w0rd!')
  expect(forms.has('password')).toBe(true)
  expect(comparableForms('we1c0me').has('welcome')).toBe(true)
})

test('the listed form of a leaked password', () => {
  expect(['Dragon123', '123456789q', 'abc123', 'passwordpassword', '1234'].map(listedForm)).toEqual([
    'dragon',
    '123456789q',
    undefined,
    'passwordpassword',
    undefined,
  ])
})
