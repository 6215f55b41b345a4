import { expect, test } from 'vitest'
import { hotRoutes, hotTable, tableInDocument } from './hot-routes.ts'

test('the hottest routes ask of the database what docs/performance.md says, and a statement costs a round trip', async () => {
  const routes = await hotRoutes()
  expect(tableInDocument()).toBe(hotTable(routes))
  for (const { name, statements, roundTrips } of routes) expect(roundTrips - statements, name).toBeLessThanOrEqual(0)
})
