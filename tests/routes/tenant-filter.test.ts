// Every statement filters by tenant; row level security, the second defence, would hide a missing filter.
import { expect, test } from 'vitest'
import { DIRECTORY_TABLES } from '#db/migrations/policies'
import { SEEDS } from '../seeds/seeds.ts'
import { fillPath, ROUTES, startEveryGroup } from './every-route.ts'

const DIRECTORY = new Set<string>(DIRECTORY_TABLES)
const GROUPS = new Set([
  'admin',
  'roles',
  'tenants',
  'user-sign-in',
  'factors',
  'user',
  'people',
  'clients',
  'tokens',
  'access',
  'webhooks',
  'audit',
  'account',
])

/** The tables of tenants that a statement mentions. */
const tenantTables = (text: string): string[] =>
  [...text.matchAll(/"?authsec"?\."?(\w+)"?/g)].map(([, name]) => name ?? '').filter((name) => !DIRECTORY.has(name))

test('every statement on a table of tenants filters by the tenant', { timeout: 240_000 }, async () => {
  const every = await startEveryGroup()
  let served = 0
  for (const listed of ROUTES.filter(({ group }) => GROUPS.has(group.name))) {
    const app = every.appOf(listed)
    const company = await app.company()
    const seed = await SEEDS[listed.id]?.(app, company)
    const token = seed?.owner === undefined ? await every.entitled(listed) : await app.token(seed.owner, ['pwd', 'otp', 'mfa'])
    const search = listed.route.query === undefined ? '' : '?search=person'
    const body = seed?.body ?? (listed.route.body === undefined ? undefined : {})
    for (const query of new Set(['', search])) {
      const response = await every.send(listed, {
        path: `${fillPath(listed.route, seed?.path ?? {})}${query}`,
        ...(token === undefined ? {} : { token }),
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...seed?.headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (response.status < 300) served++
    }
    every.renew(listed)
  }
  const forgetful = every.seen
    .filter(({ scope, statement }) => scope.role === 'authsec_app' && tenantTables(statement.text).length > 0)
    .filter(({ scope, statement }) => !statement.params.flat().includes(scope.tenantId))
  expect([...new Set(forgetful.map(({ statement }) => statement.text))]).toEqual([])
  expect(served).toBeGreaterThan(100)
})
