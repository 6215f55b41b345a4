// Every operation that writes, called by a person who holds exactly the permissions that it names: each field of its body and path gets each kind of value that
// could raise rights (other people, roles, groups, clients, keys, addresses). Afterwards no principal holds or is recognised by more than the caller could grant.
import { exportJWK, generateKeyPair } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertAttestor } from '#db/store/attestors'
import { putConsent } from '#db/store/oauth-authorizations'
import { insertIssuer } from '#db/store/oauth-issuers'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import { methodOf, type Schema } from '#shared/platform/http/route'
import { type EveryGroup, fillPath, isOfPlatform, isPage, type Listed, parametersOf, rows, startEveryGroup } from '../routes/every-route.ts'
import { newAgent } from '../support/agents.ts'
import type { Company, Person, TestApp } from '../support/app.ts'
import { attestorOf } from '../support/attestation.ts'
import { addProvider, providerIdOf } from '../support/federation.ts'
import { newOauthClient, newResource } from '../support/oauth.ts'
import { gainsOf, readAuthority } from './authority.ts'

/** The permission that some hold and no caller does. */
const STRONG = 'vault:open'
const ELSEWHERE = 'https://attacker.example.com/callback'
const MOST_BODIES = 80
const MOST_PATHS = 8

/** The first values of a kind are the strongest, the last one is harmless. */
type Values = Readonly<Record<'user' | 'role' | 'group' | 'client' | 'server' | 'provider' | 'issuer' | 'agent' | 'attestor', readonly string[]>>
type World = {
  readonly app: TestApp
  readonly company: Company
  readonly actor: Person
  readonly values: Values
  readonly names: readonly string[]
  /** A permission that the caller holds. */
  readonly own: string
  readonly addresses: readonly string[]
  readonly jwks: unknown
}

let jwks: unknown
let every: EveryGroup
beforeAll(async () => {
  every = await startEveryGroup()
  const { publicKey } = await generateKeyPair('ES256')
  jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'theirs', alg: 'ES256', use: 'sig' }] }
})

/** A company in which people, clients, groups and roles have the strong permission, or come by it. */
const build = async (app: TestApp, permissions: readonly `${string}:${string}`[]): Promise<World> => {
  const company = await app.company('gains')
  const at = app.clock.now()
  const actor = await app.person(company, permissions)
  const [strong, newcomer] = [await app.person(company, [STRONG]), await app.person(company)]
  const server = await newResource(app, company, [{ name: STRONG, permission: STRONG }, { name: 'tools:read' }])
  const backend = await newOauthClient(app, company, { permissions: [STRONG], name: 'backend' })
  const consented = await newOauthClient(app, company, { at: [server], name: 'consented' })
  const review = await newOauthClient(app, company, { at: [server], name: 'review', permissions: [STRONG], reviewedRedirectUris: [ELSEWHERE] })
  const stopped = await newOauthClient(app, company, { permissions: [STRONG], name: 'stopped', active: false, status: 'Development' })
  const plain = await newOauthClient(app, company, { name: 'plain' })
  const idle = await newAgent(app, company, newcomer.id)
  const agent = await newAgent(app, company, strong.id, { permissions: [STRONG] })
  await addProvider(app, { name: 'okta', issuer: 'https://acme.okta.com' }, company.tenantId)
  const provider = await providerIdOf(app, 'okta', company.tenantId)
  const ids = await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const role = await putRole(t, 'keeper', [STRONG], at)
    const weak = await putRole(t, 'reader', ['docs:read'], at)
    const group = await putGroup(t, 'crew', [strong.id], at)
    const lounge = await putGroup(t, 'lounge', [newcomer.id], at)
    const empty = await putRole(t, 'empty', [], at)
    const loose = await putBinding(t, empty, { userId: newcomer.id }, at)
    const binding = await putBinding(t, role, { groupId: group }, at)
    await putConsent(t, {
      id: app.ctx.random.id(),
      userId: strong.id,
      clientId: consented.id,
      resourceServerId: server.id,
      scopes: [STRONG],
      at,
    })
    const issuer = app.ctx.random.id()
    const row = { id: issuer, name: 'Workforce', issuer: 'https://idp.partner.example.com', active: false, acceptsIdentity: true }
    await insertIssuer(t, { ...row, jwks: jwks as never, subjectMapping: 'user_id', validFrom: at, createdAt: at, updatedAt: at })
    const attestor = { ...attestorOf(app, company.tenantId, 'github_actions', { rules: { repository_id: '74' } }), active: false }
    await insertAttestor(t, attestor)
    await t.run({
      text: 'update authsec.oidc_providers set trusts_factors = true where tenant_id = $1 and id = $2',
      params: [t.tenantId, provider],
      arrays: true,
    })
    const [[admin] = []] = (await t.run({
      text: "select id from authsec.roles where tenant_id = $1 and is_system and name = 'admin'",
      params: [t.tenantId],
      arrays: true,
    })) as string[][]
    return { role, weak, group, lounge, empty, loose, binding, issuer, admin: admin ?? '', attestor: attestor.id }
  })
  const values: Values = {
    user: [strong.id, company.admin.id, actor.id, newcomer.id],
    role: [ids.role, ids.admin, ids.weak, ids.binding, ids.loose, ids.empty],
    group: [ids.group, ids.lounge],
    client: [consented.id, backend.id, review.id, stopped.id, company.clientId, agent.id, plain.id],
    server: [server.id],
    provider: [provider],
    issuer: [ids.issuer],
    agent: [agent.id, idle.id],
    attestor: [ids.attestor],
  }
  const addresses = [strong.email, company.admin.email, actor.email, `new-${actor.id}@${company.name}.example`]
  const names = ['keeper', 'admin', 'crew', 'consented', STRONG, 'admin:access', 'okta', 'lounge', 'empty', 'a name']
  return { app, company, actor, values, names, own: permissions[0] ?? 'docs:read', addresses, jwks }
}

const KINDS: readonly (readonly [RegExp, keyof Values])[] = [
  [/user|person|member|owner|subject|people/i, 'user'],
  [/role|binding/i, 'role'],
  [/group/i, 'group'],
  [/server/i, 'server'],
  [/provider|connection/i, 'provider'],
  [/attestor/i, 'attestor'],
  [/issuer/i, 'issuer'],
  [/agent/i, 'agent'],
  [/client/i, 'client'],
]
const idsFor = (name: string, { values, company }: World, id: string): readonly string[] => {
  if (/tenant/i.test(name)) return [company.tenantId]
  const kind = KINDS.find(([pattern]) => pattern.test(name))?.[1]
  if (kind !== undefined) return values[kind]
  // The path says what an unnamed id is of.
  const place = KINDS.find(([pattern]) => pattern.test(id))?.[1]
  const all = [...new Set(Object.values(values).flatMap((each) => [each[0] ?? '', each.at(-1) ?? '']))]
  return place === undefined ? all : values[place]
}

type Json = Readonly<Record<string, unknown>>

const textsFor = (name: string, schema: Json, world: World, id: string): readonly unknown[] => {
  const { format, pattern } = schema
  if (/redirect|callback/i.test(name)) return [ELSEWHERE]
  if (format === 'uuid' || /(^|_)ids?$/i.test(name)) return idsFor(name, world, id)
  if (format === 'email' || /mail/i.test(name)) return world.addresses
  if (/password/i.test(name)) return ['violet-anchors-hum-quietly']
  if (format === 'date-time') return ['2030-01-01T00:00:00.000Z']
  if (/origin|login_ui/i.test(name)) return ['http://localhost:3000']
  if (format === 'uri' || /ur[il]s?$/i.test(name)) return [ELSEWHERE]
  if (/issuer/i.test(name)) return ['https://attacker.example.com']
  const [resource = '', action = ''] = world.own.split(':')
  if (name === 'resource') return ['vault', 'admin', resource]
  if (name === 'action') return ['open', 'access', action]
  if (/permission|scope|resources/i.test(name)) return [STRONG, 'admin:access', world.own]
  if (/domain/i.test(name)) return [world.company.domain]
  if (typeof pattern === 'string' && /\\d\{6\}/.test(pattern)) return ['000000']
  return world.names
}

/** The values to try for a member, with those of its parts. */
const valuesFor = (name: string, schema: Json, named: Readonly<Record<string, Json>>, world: World, id: string, depth = 0): readonly unknown[] => {
  const again = (one: Json, as = name): readonly unknown[] => valuesFor(as, one, named, world, id, depth + 1)
  if (depth > 6) return []
  if (typeof schema.$ref === 'string') return again(named[schema.$ref.replace('#/$defs/', '')] ?? {})
  if (name === 'jwks') return [world.jwks]
  if (schema.const !== undefined) return [schema.const]
  if (Array.isArray(schema.enum)) return schema.enum
  const options = schema.anyOf ?? schema.oneOf
  if (Array.isArray(options)) return options.filter((one: Json) => one.type !== 'null').flatMap((one: Json) => again(one))
  switch (schema.type) {
    case 'string':
      return textsFor(name, schema, world, id)
    case 'boolean':
      return [true, false]
    case 'integer':
    case 'number':
      return [typeof schema.minimum === 'number' ? schema.minimum : 1, ...(typeof schema.maximum === 'number' ? [schema.maximum] : [])]
    case 'array':
      return again((schema.items ?? {}) as Json).map((one) => [one])
    case 'object':
      return objectsFor(schema, named, world, id, depth + 1)
    default:
      return []
  }
}

/** Objects with harmless required members, and each value of each member once; and the strongest of all. */
function objectsFor(schema: Json, named: Readonly<Record<string, Json>>, world: World, id: string, depth = 0): readonly Json[] {
  const members = Object.entries((schema.properties ?? {}) as Readonly<Record<string, Json>>)
  const required = new Set((schema.required ?? []) as readonly string[])
  const tried = members.map(([name, member]) => [name, valuesFor(name, member, named, world, id, depth)] as const)
  const withOnly = (pick: (values: readonly unknown[]) => unknown, all: boolean): Json =>
    Object.fromEntries(tried.flatMap(([name, values]) => (values.length > 0 && (all || required.has(name)) ? [[name, pick(values)]] : [])))
  const [first, last] = [(values: readonly unknown[]) => values[0], (values: readonly unknown[]) => values.at(-1)]
  const least = withOnly(last, false)
  const each = tried.flatMap(([name, values]) => values.map((value) => ({ ...least, [name]: value })))
  // Some members count only where another one is switched on.
  const isSwitch = (values: readonly unknown[]): boolean => values[0] === true
  const pairs = tried.flatMap(([name, values]) =>
    isSwitch(values)
      ? tried.flatMap(([other, more]) => (isSwitch(more) ? [] : more.map((value) => ({ ...least, [name]: true, [other]: value }))))
      : [],
  )
  // An object is represented in others by its first and last forms, so the last is the least one.
  return [least, withOnly(first, false), withOnly(first, true), withOnly(last, true), ...each, ...pairs, least]
}

const bodiesFor = (schema: Schema, world: World, id: string): readonly Json[] => {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Json
  const named = (json.$defs ?? {}) as Readonly<Record<string, Json>>
  const whole = typeof json.$ref === 'string' ? (named[json.$ref.replace('#/$defs/', '')] ?? {}) : json
  const options = (whole.anyOf ?? whole.oneOf ?? [whole]) as readonly Json[]
  const seen = new Map(options.flatMap((one) => objectsFor(one, named, world, id)).map((body) => [JSON.stringify(body), body]))
  return [...seen.values()].slice(0, MOST_BODIES)
}

const pathsFor = ({ route, id }: Listed, world: World): readonly string[] => {
  const place = `${id} ${fillPath(route, {})}`
  const all = parametersOf(route).reduce<readonly Readonly<Record<string, string>>[]>(
    (before, name) => before.flatMap((one) => idsFor(name, world, place).map((value) => ({ ...one, [name]: value }))),
    [{}],
  )
  const step = Math.max(1, Math.ceil(all.length / MOST_PATHS))
  // Of many, evenly; the harmless one comes last and is always included.
  return all.filter((_, at) => (all.length - 1 - at) % step === 0).map((one) => fillPath(route, one))
}

const queryFor = ({ route, id }: Listed, world: World): string => {
  if (route.query === undefined) return ''
  const [least = {}] = bodiesFor(route.query, world, id)
  const pairs = Object.entries(least).map(([name, value]) => [name, String(value)])
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`
}

/** Callers above a company's rules, and operations that have callers of another kind. */
const isSwept = ({ route }: Listed): boolean => {
  const { access } = route
  if (methodOf(route) === 'GET' || isPage(route) || route.form !== undefined || route.bodyType === 'text/csv') return false
  if (access.rule === 'permission') return !access.all.some(isOfPlatform)
  return access.rule === 'user' || access.rule === 'userOrNobody'
}

let count = 0
/** Names, addresses and issuers that are new are new in each request: an existing one is refused for another reason. */
const unique = (text: string): string => {
  count += 1
  return text
    .replaceAll('"a name"', `"name-${count}"`)
    .replaceAll('"new-', `"new-${count}-`)
    .replaceAll('"https://attacker.example.com"', `"https://i${count}.attacker.example.com"`)
}

const reached = new Set<string>()
const SWEPT = rows(() => true).filter(([, listed]) => isSwept(listed))
/** Companies in which nothing was changed yet, by group and permissions. */
const unused = new Map<string, World>()

test.each(SWEPT)('%s', { timeout: 120_000 }, async (id, listed) => {
  const { access, body } = listed.route
  const app = every.appOf(listed)
  const permissions = access.rule === 'permission' ? access.all : []
  const place = [listed.group.name, ...permissions].join()
  const world = unused.get(place) ?? (await build(app, permissions))
  unused.set(place, world)
  const t = forTenant(app.db, world.company.tenantId)
  const own = new Set([world.actor.id])
  const signIn = () => app.token(world.actor, ['pwd', 'otp', 'mfa'])
  let token = await signIn()
  let before = await readAuthority(t)
  const query = queryFor(listed, world)
  const bodies: readonly (Json | undefined)[] = body === undefined ? [undefined] : bodiesFor(body, world, id)
  for (const path of pathsFor(listed, world)) {
    for (const one of bodies) {
      const text = one === undefined ? undefined : unique(JSON.stringify(one))
      const headers = { 'if-match': '*', 'content-type': 'application/json' }
      const response = await every.send(listed, { path: `${path}${query}`, token, headers, ...(text === undefined ? {} : { body: text }) })
      await response.text()
      // 503: the network of the tests is off.
      expect([500, 502, 504], `${path} ${text}`).not.toContain(response.status)
      // The last call ended the session.
      if (response.status === 401) token = await signIn().catch(() => token)
      if (response.status >= 300) continue
      reached.add(id)
      unused.delete(place)
      const after = await readAuthority(t)
      expect(gainsOf(world.actor.id, own, before, after), `${path}${query} ${text}`).toEqual([])
      before = after
    }
  }
  every.forget()
})

/** Operations on which control of others depends: a sweep in which they were only refused would prove little. */
const ESSENTIAL = [
  'admin.addMembers',
  'admin.assignRole',
  'admin.createRole',
  'admin.updateRole',
  'agents.create',
  'agents.rotateCredentials',
  'attestors.change',
  'clients.changeRegistration',
  'clients.rotateSecret',
  'issuers.change',
  'people.update',
  'people.changeSettings',
  'resources.change',
  'user.createRole',
]
test('the operations on which control of others depends were also carried out', () => {
  expect(ESSENTIAL.filter((id) => !reached.has(id))).toEqual([])
})
