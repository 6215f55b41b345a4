import { expect, test } from 'vitest'
import { hotRoutes, hotTable, tableInReadme } from './hot-routes.ts'

test('the hottest routes ask of the database what README says, and a read costs a round trip a statement', async () => {
  const routes = await hotRoutes()
  expect(tableInReadme()).toBe(hotTable(routes))
  // A change has one more, its commit.
  for (const { name, statements, roundTrips } of routes)
    expect(roundTrips - statements, name).toBeLessThanOrEqual(/authorize|login/.test(name) ? 1 : 0)
})
