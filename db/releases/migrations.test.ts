// A migration that a release came with has run on databases that nobody here sees: from then on it is history.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { changedMigrations, migrationsIn, newestRelease } from './snapshot.ts'

const now = migrationsIn()

test('what was released is here as it was, and comes first', () => {
  expect(changedMigrations(newestRelease()?.migrations ?? {}, now)).toEqual([])
})

test('a release names its migrations', () => {
  const release = newestRelease()
  if (release !== undefined) expect(Object.keys(release.migrations).length).toBeGreaterThan(0)
})

test('one that changed, is gone, or has another before it is found', () => {
  const released = { '0000_house.sql': 'aa', '0001_porch.sql': 'bb' }
  expect(changedMigrations(released, { ...released, '0002_roof.sql': 'cc' })).toEqual([])
  expect(changedMigrations(released, { ...released, '0001_porch.sql': 'cc' })).toEqual(['0001_porch.sql was released and has changed'])
  expect(changedMigrations(released, { '0000_house.sql': 'aa' })).toEqual(['0001_porch.sql was released and is gone'])
  const squeezed = { '0000_house.sql': 'aa', '0000_x.sql': 'cc', '0001_porch.sql': 'bb' }
  expect(changedMigrations(released, squeezed)).toEqual(['0000_x.sql comes before 0001_porch.sql, which was released'])
})

test('the journal, by which the next one is made, names what lies here', () => {
  const journal = JSON.parse(readFileSync(new URL('../migrations/meta/_journal.json', import.meta.url), 'utf8')) as {
    readonly entries: readonly { readonly tag: string }[]
  }
  expect(journal.entries.map(({ tag }) => `${tag}.sql`)).toEqual(Object.keys(now))
})
