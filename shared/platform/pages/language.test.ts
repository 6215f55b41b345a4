import { expect, test } from 'vitest'
import { LANGUAGES, preferredLanguage } from './language.ts'

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['de', 'de'],
  ['de-AT,de;q=0.9,en;q=0.5', 'de'],
  ['fr, de;q=0.4, en;q=0.3', 'de'],
  ['en;q=0.2, DE;q=0.8', 'de'],
  ['de;q=0, en', 'en'],
  ['de;q=0', 'en'],
  ['*', 'en'],
  ['fr, *;q=0.5, de;q=0.1', 'en'],
  ['de;q=nonsense', 'en'],
  ['constructor, __proto__, de;q=0.1', 'de'],
  [`${'x,'.repeat(5000)}de`, 'en'],
])('%j is served in %s', (header, language) => {
  expect(preferredLanguage(header)).toBe(language)
})

const leaves = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, member]) => leaves(member, `${path}.${name}`)) : [path]
const placeholders = (value: unknown): string[] => (JSON.stringify(value).match(/\{\w+\}/g) ?? []).toSorted()

test('every language has all texts with the same placeholders', () => {
  for (const words of Object.values(LANGUAGES)) {
    expect(leaves(words)).toEqual(leaves(LANGUAGES.en))
    expect(placeholders(words)).toEqual(placeholders(LANGUAGES.en))
    expect(JSON.stringify(words)).not.toContain('""')
  }
})
