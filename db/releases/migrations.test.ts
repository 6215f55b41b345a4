// Released migrations have run on unknown databases and must never change.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { changedMigrations, migrationsIn, newestRelease } from './snapshot.ts'

const now = migrationsIn()

test('released migrations exist unchanged and come first', () => {
  expect(changedMigrations(newestRelease()?.migrations ?? {}, now)).toEqual([])
})

test('a recorded release lists its migrations', () => {
  const release = newestRelease()
  if (release !== undefined) expect(Object.keys(release.migrations).length).toBeGreaterThan(0)
})

test('a changed, missing or preceded migration is reported', () => {
  const released = { '0000_house.sql': 'aa', '0001_porch.sql': 'bb' }
  expect(changedMigrations(released, { ...released, '0002_roof.sql': 'cc' })).toEqual([])
  expect(changedMigrations(released, { ...released, '0001_porch.sql': 'cc' })).toEqual(['0001_porch.sql was released and has changed'])
  expect(changedMigrations(released, { '0000_house.sql': 'aa' })).toEqual(['0001_porch.sql was released and is gone'])
  const squeezed = { '0000_house.sql': 'aa', '0000_x.sql': 'cc', '0001_porch.sql': 'bb' }
  expect(changedMigrations(released, squeezed)).toEqual(['0000_x.sql comes before 0001_porch.sql, which was released'])
})

test('drizzle’s journal lists exactly these migrations', () => {
  const journal = JSON.parse(readFileSync(new URL('../migrations/meta/_journal.json', import.meta.url), 'utf8')) as {
    readonly entries: readonly { readonly tag: string }[]
  }
  expect(journal.entries.map(({ tag }) => `${tag}.sql`)).toEqual(Object.keys(now))
})
