// Guarantees that hold for every route, without a test per route.
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { ERRORS } from '#shared/kernel/errors'
import { AUDIT_EVENTS } from '#shared/platform/audit/events'
import { LIMITS } from '#shared/platform/http/access'
import { pathOf, type Route } from '#shared/platform/http/route'
import { GROUPS } from '../../apps/groups.ts'
import { platformAdministrator, SEEDS, type Seed } from '../seeds/seeds.ts'
import type { Company, Person } from '../support/app.ts'
import { keyPair } from '../support/saml-idp.ts'
import {
  comparableResponse,
  type EveryGroup,
  errorCodeIn,
  fillPath,
  isOfPlatform,
  type Listed,
  METRICS_TOKEN,
  parametersOf,
  ROUTES,
  rows,
  type Send,
  startEveryGroup,
} from './every-route.ts'
import { sampleOf } from './sample.ts'

/** Paths outside the compatibility prefix. A new one is a decision. */
const OWN_PREFIXES = [
  // The root, with the slash that the test adds.
  '//',
  '/errors/',
  '/favicon.ico/',
  '/activate',
  '/approve',
  '/challenges/',
  '/branding',
  '/confirm',
  '/me',
  '/recover',
  '/signin',
  '/signout',
  '/signup',
  '/access/',
  '/agents/',
  '/authorization-types/',
  '/trusted-issuers/',
  '/account/',
  '/audit/',
  '/clients/',
  '/connections/',
  '/federation/',
  '/people/',
  '/platform/',
  '/spiffe/',
  '/sdkmgr/',
  '/tenant/',
  '/tenants/',
  '/webhooks/',
  '/metrics',
  '/spiffe/',
  '/oauth/',
  '/oauth2/',
  '/.well-known/',
]
const NOBODYS_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'

/** Routes that also accept another proof: only an invalid token is refused by the guard. */
const servesNobody = ({ access }: Route<never>): boolean => access.rule === 'userOrNobody'
/** Hosted pages redirect signed-out visitors: see functions/login/forms.test.ts. */
const isPage = ({ access }: Route<never>): boolean => access.rule === 'page' || access.rule === 'browser'
const isGuarded = (route: Route<never>): boolean => route.access.rule !== 'open' && !servesNobody(route) && !isPage(route)
/** Clients authenticate with HTTP Basic, and have an error of their own. */
const isForClients = ({ access }: Route<never>): boolean => access.rule === 'client' && !access.orUser
const hasPrincipal = ({ access }: Route<never>): boolean =>
  access.rule === 'user' || access.rule === 'userOrNobody' || access.rule === 'permission' || (access.rule === 'client' && access.orUser)
const isForPlatform = ({ access }: Route<never>): boolean => access.rule === 'permission' && access.all.some(isOfPlatform)
const hasIdentifier = (route: Route<never>): boolean => parametersOf(route).length > 0
const somewhere = ({ route }: Listed): string => fillPath(route, Object.fromEntries(parametersOf(route).map((name) => [name, NOBODYS_ID])))

let every: EveryGroup
beforeAll(async () => {
  every = await startEveryGroup()
})
afterEach(() => every.forget())

/** Creates a value once for each key. */
const once = <T>() => {
  const made = new Map<string, Promise<T>>()
  return (key: string, make: () => Promise<T>): Promise<T> => {
    const known = made.get(key) ?? make()
    made.set(key, known)
    return known
  }
}
const companies = once<Company>()
const callers = once<{ readonly person: Person; readonly token: string }>()
/** A company of the group, for tests whose calls are refused: it stays unchanged. */
const refusedAt = (listed: Listed, label: 'acme' | 'globex'): Promise<Company> =>
  companies(`${listed.group.name} ${label}`, () => every.appOf(listed).company(label))
/** A signed-in person of the group's company with these permissions, for such tests. */
const refusedCaller = (listed: Listed, permissions: readonly `${string}:${string}`[], amr: readonly string[] = ['pwd']) =>
  callers(`${listed.group.name} ${permissions.join()} ${amr.join()}`, async () => {
    const app = every.appOf(listed)
    const person = await app.person(await refusedAt(listed, 'acme'), permissions)
    return { person, token: await app.token(person, amr) }
  })
/** The platform administrator, at the group. */
const root = (listed: Listed) =>
  callers(`${listed.group.name} platform`, async () => {
    const app = every.appOf(listed)
    const person = await platformAdministrator(app)
    return { person, token: await app.token(person, ['pwd', 'otp', 'hwk']) }
  })

describe('declarations', () => {
  test('no two routes share an id, or a method and path', () => {
    const twice = (values: readonly string[]): string[] => values.filter((value, at) => values.indexOf(value) !== at)
    expect(twice(ROUTES.map(({ id }) => id))).toEqual([])
    expect(twice(ROUTES.map(({ route }) => route.on.replace(/:\w+/g, ':')))).toEqual([])
    expect(twice(GROUPS.map(({ name }) => name))).toEqual([])
  })

  test.each(rows(() => true))('%s: path, errors, events and limit are valid', (_, { route }) => {
    expect(`${pathOf(route)}/`).toSatisfy((path: string) => [...OWN_PREFIXES, '/authsec/'].some((prefix) => path.startsWith(prefix)))
    for (const code of route.errors) expect(Object.keys(ERRORS)).toContain(code)
    for (const event of route.emits === 'nothing' ? [] : route.emits) expect(AUDIT_EVENTS).toContain(event)
    expect(Object.keys(LIMITS)).toContain(route.access.limit.class)
    expect(route.summary).toMatch(/\.$/)
  })

  test.each(rows((route) => !isGuarded(route) && !isPage(route)))('%s: an open route states the reason', (_, { route }) => {
    expect(route.access).toMatchObject({ rule: servesNobody(route) ? 'userOrNobody' : 'open', why: expect.stringMatching(/\w+ \w+/) })
  })

  test('every seed belongs to a route', () => {
    const ids = ROUTES.filter(({ route }) => hasIdentifier(route)).map(({ id }) => id)
    expect(Object.keys(SEEDS).toSorted()).toEqual(ids.toSorted())
  })
})

const changedBy = (sql: string): string[] => {
  const [, table] = /^\s*(?:insert into|update|delete from)\s+(?:"?authsec"?\.)?"?(\w+)"?/i.exec(sql) ?? []
  return table === undefined ? [] : [table]
}
/** Tables that were changed by statements since then. */
const changed = (since: number): string[] => every.seen.slice(since).flatMap(({ statement }) => changedBy(statement.text))
/** The event that every call of a platform administrator leaves in the system tenant. */
const OF_THE_CALLER = new Set(['audit_events', 'data_keys'])

describe('without credentials', () => {
  test.each(rows(isGuarded))('%s: 401 with a challenge, and only the refusal is written, once', async (_, listed) => {
    const [statements, handled] = [every.seen.length, every.handled.length]
    const first = await every.send(listed, { path: somewhere(listed) })
    expect(first.status).toBe(401)
    expect(first.headers.get('www-authenticate')).toMatch(isForClients(listed.route) ? /^Basic realm="authsec"/ : /^Bearer realm="authsec"/)
    expect(await errorCodeIn(first)).toBe(isForClients(listed.route) ? 'client_authentication_failed' : 'unauthorized')
    expect(changed(statements).filter((table) => table !== 'data_keys')).toEqual(['audit_events'])
    const folded = every.seen.length
    expect((await every.send(listed, { path: somewhere(listed) })).status).toBe(401)
    expect(changed(folded)).toEqual([])
    expect(every.handled.length).toBe(handled)
  })

  test.each(rows((route) => isGuarded(route) || servesNobody(route)))('%s: an invalid token is refused as invalid', async (_, listed) => {
    for (const token of ['nonsense', 'a.b.c', `${METRICS_TOKEN}x`]) {
      const response = await every.send(listed, { path: somewhere(listed), token })
      expect(response.status).toBe(401)
      if (isForClients(listed.route)) {
        expect(await errorCodeIn(response)).toBe('client_authentication_failed')
        continue
      }
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"')
      expect(await errorCodeIn(response)).toBe('invalid_token')
    }
  })
})

describe('without the permission', () => {
  test.each(rows(({ access }) => access.rule === 'permission'))(
    '%s: 403 for each missing permission, and the refusal is recorded',
    async (_, listed) => {
      const { access } = listed.route
      if (access.rule !== 'permission') return
      const app = every.appOf(listed)
      for (const missing of access.all) {
        const { person, token } = await refusedCaller(
          listed,
          access.all.filter((permission) => permission !== missing),
        )
        const handled = every.handled.length
        const response = await every.send(listed, { path: somewhere(listed), token })
        expect(response.status).toBe(403)
        expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
        expect(await errorCodeIn(response)).toBe('insufficient_scope')
        expect(every.handled.length).toBe(handled)
        const [refusal] = await app.events(person.tenantId, { event: 'request.refused', actorId: person.id })
        expect(refusal).toMatchObject({ outcome: 'refused', reason: 'insufficient_scope', route: listed.id })
      }
    },
  )
})

/** Members in which a caller can name a tenant. */
const namings = (listed: Listed, tenantId: string, own: string) => {
  const { route } = listed
  const path = somewhere(listed)
  const json = { 'content-type': 'application/json' }
  return [
    { path, headers: { tenant_id: tenantId } },
    { path, headers: { 'x-tenant-id': tenantId } },
    { path: `${path}?tenant_id=${tenantId}` },
    { path: `${path}?tenant_id=${own}&tenantId=${tenantId.toUpperCase()}` },
    ...(route.body === undefined || route.bodyType === 'text/csv' ? [] : [{ path, headers: json, body: JSON.stringify({ tenant_id: tenantId }) }]),
    ...parametersOf(route)
      .filter((name) => name === 'tenant_id' || name === 'tenantId')
      .map((name) => ({
        path: fillPath(route, { ...Object.fromEntries(parametersOf(route).map((other) => [other, NOBODYS_ID])), [name]: tenantId }),
      })),
  ]
}

describe("another tenant's id", () => {
  test.each(rows(hasPrincipal))('%s: 403 wherever it is named, without a look-up', async (_, listed) => {
    const globex = await refusedAt(listed, 'globex')
    const { access } = listed.route
    // Strong enough for every route, so that only the tenant is refused.
    const amr = 'stepUp' in access && access.stepUp !== undefined ? ['pwd', 'otp', 'hwk'] : ['pwd']
    const { person: caller, token } = await refusedCaller(listed, access.rule === 'permission' ? access.all : [], amr)
    for (const tenantId of [globex.tenantId, NOBODYS_ID]) {
      for (const naming of namings(listed, tenantId, caller.tenantId)) {
        const [statements, handled] = [every.seen.length, every.handled.length]
        const response = await every.send(listed, { ...naming, token })
        expect(response.status, JSON.stringify(naming)).toBe(403)
        // No caller of a company holds permissions of the platform's routes, so the permission is refused first there.
        expect(await errorCodeIn(response)).toBe(isForPlatform(listed.route) ? 'insufficient_scope' : 'tenant_mismatch')
        expect(every.handled.length).toBe(handled)
        const asked = every.seen
          .slice(statements)
          .filter(({ scope, statement }) => scope.tenantId === tenantId || statement.params.includes(tenantId))
        expect(asked).toEqual([])
      }
    }
  })
})

/** Routes that answer the same for every tenant: a constant, or that a feature is not offered. */
const ANSWERS_ALIKE = new Set(['clients.platformSelectors', 'migration.runTenant', 'oocmgr.templates'])

const NO_PAGE = { cursor: undefined }
const samlProvider = async () => {
  const address = 'https://idp.acme.com/saml'
  return { sso_url: address, slo_url: address, metadata_url: address, certificate: (await keyPair('acme')).certificate }
}
/** Members that a sample of the schema lacks to be a valid body. */
const LACKING: Readonly<Record<string, () => object | Promise<object>>> = {
  'user.listEndUsersByBody': () => NO_PAGE,
  'admin.listEndUsers': () => NO_PAGE,
  'admin.claimDomain': () => ({ domain: 'login.acme.com' }),
  'saml.add': samlProvider,
  'saml.change': samlProvider,
  'connections.addSamlProvider': samlProvider,
  'connections.updateSamlProvider': samlProvider,
}

/** A valid call that names the tenant in this member, and in no other. */
const namingIn = async ({ route, id }: Listed, slot: string, tenantId: string): Promise<Send> => {
  const [part, name = ''] = slot.split('.')
  const ids = Object.fromEntries(parametersOf(route).map((each) => [each, /^tenant_?id$/i.test(each) ? SYSTEM_TENANT : NOBODYS_ID]))
  const path = fillPath(route, part === 'path' ? { ...ids, [name]: tenantId } : ids)
  const query = new URLSearchParams({
    ...(id === 'clients.platformSelectors' ? { platform: 'docker' } : {}),
    ...(part === 'query' ? { [name]: tenantId } : {}),
  })
  const to = `${path}?${query}`
  if (route.body === undefined) return { path: to, headers: { 'if-match': '*' } }
  if (route.bodyType === 'text/csv') return { path: to, headers: { 'content-type': 'text/csv' }, body: 'email' }
  const { tenant_id: _, ...sample } = { ...sampleOf(route.body), ...(await LACKING[id]?.()) } as Readonly<Record<string, unknown>>
  const body = part === 'body' ? { ...sample, [name]: tenantId } : sample
  return { path: to, headers: { 'content-type': 'application/json', 'if-match': '*' }, body: JSON.stringify(body) }
}

describe("a company's id, named by a platform administrator", () => {
  test.each(rows(hasPrincipal))('%s: refused wherever the route does not act in the named tenant, and nothing is read there', async (_, listed) => {
    const company = await refusedAt(listed, 'globex')
    const { token } = await root(listed)
    const { actsIn } = listed.route
    const slots = ['path.tenant_id', 'path.tenantId', 'query.tenant_id', 'query.tenantId', 'body.tenant_id', 'body.tenantId']
    const naming = slots
      .filter((slot) => slot !== actsIn)
      .filter((slot) => !slot.startsWith('path.') || parametersOf(listed.route).includes(slot.slice('path.'.length)))
      .filter((slot) => !slot.startsWith('body.') || (listed.route.body !== undefined && listed.route.bodyType !== 'text/csv'))
      .map((slot) => namingIn(listed, slot, company.tenantId))
    const elsewhere = await namingIn(listed, 'query.tenant_id', SYSTEM_TENANT)
    const byHeader = ['tenant_id', 'x-tenant-id'].map((name) => ({ ...elsewhere, headers: { ...elsewhere.headers, [name]: company.tenantId } }))
    for (const call of [...(await Promise.all(naming)), ...byHeader]) {
      const [statements, handled] = [every.seen.length, every.handled.length]
      const response = await every.send(listed, { ...call, token })
      expect([response.status, await errorCodeIn(response)], JSON.stringify(call)).toEqual([403, 'tenant_mismatch'])
      expect(every.handled.length).toBe(handled)
      expect(every.seen.slice(statements).filter(({ scope }) => scope.tenantId === company.tenantId)).toEqual([])
    }
  })

  test.each(rows(({ actsIn }) => actsIn !== undefined))('%s: where it does, it acts there and not in the system tenant', async (_, listed) => {
    const app = every.appOf(listed)
    const company = await app.company()
    const { token } = await root(listed)
    const [statements, handled] = [every.seen.length, every.handled.length]
    const response = await every.send(listed, { ...(await namingIn(listed, listed.route.actsIn ?? '', company.tenantId)), token })
    if (response.status >= 400) expect(await errorCodeIn(response)).not.toBe('tenant_mismatch')
    await response.text()
    expect(every.handled.slice(handled)).toEqual([listed.id])
    const since = every.seen.slice(statements)
    const there = since.filter(({ scope }) => scope.tenantId === company.tenantId)
    if (ANSWERS_ALIKE.has(listed.id)) expect(there).toEqual([])
    else expect(there).not.toEqual([])
    const here = since.filter(({ scope }) => scope.tenantId === SYSTEM_TENANT).flatMap(({ statement }) => changedBy(statement.text))
    expect(here.filter((table) => !OF_THE_CALLER.has(table))).toEqual([])
    expect(await app.events(SYSTEM_TENANT, { event: 'tenant.accessed', targetId: company.tenantId })).toHaveLength(1)
  })
})

const seedOf = async (listed: Listed, company: Company) => {
  const make = SEEDS[listed.id]
  if (make === undefined) throw new Error(`${listed.id} has an identifier in its path and no seed in tests/seeds/seeds.ts`)
  return make(every.appOf(listed), company)
}

describe("another tenant's object", () => {
  test.each(rows(hasIdentifier))('%s: answered exactly like an unknown id', async (_, listed) => {
    const app = every.appOf(listed)
    const theirs = await seedOf(listed, await app.company())
    const globex = await app.company('globex')
    const made = await seedOf(listed, globex)
    const own = isForPlatform(listed.route) ? { ...made, owner: globex.admin } : made
    expect(Object.keys(theirs.path).toSorted()).toEqual(parametersOf(listed.route).toSorted())
    const call = async (by: Seed, path: Readonly<Record<string, string>>) =>
      comparableResponse(
        await every.send(listed, {
          path: `${fillPath(listed.route, path)}${by.query === undefined ? '' : `?${by.query}`}`,
          ...(by.owner === undefined ? {} : { token: await app.token(by.owner, by.amr) }),
          ...(by.body === undefined ? {} : { body: JSON.stringify(by.body) }),
          headers: { ...(by.body === undefined ? {} : { 'content-type': 'application/json' }), ...by.headers },
        }),
      )
    // One identifier at a time next to the caller's own ones, and all of them at once.
    for (const names of [...parametersOf(listed.route).map((name) => [name]), parametersOf(listed.route)]) {
      const foreign = Object.fromEntries(names.map((name) => [name, theirs.path[name] ?? '']))
      const unknown = Object.fromEntries(names.map((name) => [name, NOBODYS_ID]))
      if (made.isPublic !== true) expect(await call(own, { ...own.path, ...foreign })).toEqual(await call(own, { ...own.path, ...unknown }))
    }
    // The object still exists: its owner can read it.
    for (const seed of [theirs, made]) {
      const { status } = await call(seed, seed.path)
      if (seed.answers === undefined) expect(status).toBeLessThan(400)
      else expect(status).toBe(seed.answers)
    }
  })
})
