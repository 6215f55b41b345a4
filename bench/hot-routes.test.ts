import { expect, test } from 'vitest'
import { hotRoutes, hotTable, tableInDocument } from './hot-routes.ts'

test('the hottest routes run as many statements as docs/performance.md states, and each statement is one round trip', async () => {
  const routes = await hotRoutes()
  expect(tableInDocument()).toBe(hotTable(routes))
  for (const { name, statements, roundTrips } of routes) expect(roundTrips - statements, name).toBeLessThanOrEqual(0)
})
