// Every identifier of one company, with every credential of another, on every route that takes one, in every position: the response is the same as for an
// unknown identifier. (tests/routes/table.test.ts does the same for paths between the caller's own objects; this test needs no seeds.)
import { createHash } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findSessions } from '#db/store/sessions'
import { findUser } from '#db/store/users'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import type { Route, Schema } from '#shared/platform/http/route'
import { comparableResponse, type EveryGroup, fillPath, type Listed, parametersOf, rows, startEveryGroup } from './routes/every-route.ts'
import { sampleOf } from './routes/sample.ts'
import type { Company, Person, TestApp } from './support/app.ts'
import { rowsOf } from './support/rows.ts'

let every: EveryGroup
beforeAll(async () => {
  every = await startEveryGroup()
})
afterEach(() => every.forget())

const membersOf = (schema: Schema | undefined): readonly string[] =>
  Object.keys((schema?._zod.def as { readonly shape?: Readonly<Record<string, unknown>> } | undefined)?.shape ?? {})
const isHandle = (name: string): boolean => /ticket$|_token$/.test(name)
/** A speaker's user id belongs to its own platform: naming an unknown one links it. */
const isIdentifier = (name: string): boolean => (/(^|_)ids?$/.test(name) && name !== 'voice_user_id') || isHandle(name)

/** A provider's tenant id is not an identifier of ours. */
const isOfProvider = ({ on }: Route<never>, name: string): boolean => on.includes(' /connections') && name === 'client_id'

type Slot = { readonly part: 'path' | 'query' | 'body'; readonly name: string }
const slotsOf = (route: Route<never>): readonly Slot[] => [
  ...parametersOf(route).map((name) => ({ part: 'path', name }) as const),
  ...membersOf(route.query)
    .filter(isIdentifier)
    .map((name) => ({ part: 'query', name }) as const),
  ...membersOf(route.body)
    .filter((name) => isIdentifier(name) && !isOfProvider(route, name))
    .map((name) => ({ part: 'body', name }) as const),
]

/**
 * Public entry points: the id of a client or tenant names the entry point and is not secret; the holder of a mailed one-time link has its access. They accept no
 * credential that could belong to another company. The list of a sign-in page's buttons is public as well.
 */
const isDoor = ({ access, id }: Route<never>, { name }: Slot): boolean =>
  (access.rule === 'open' || access.rule === 'page' || id === 'oocmgr.showProviders') &&
  (name === 'client_id' || name === 'tenant_id' || isHandle(name))

const NOBODYS_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'

/** Every identifier of the company: rows and one-time handles of every purpose. */
const identifiersOf = async (app: TestApp, company: Company): Promise<Readonly<Record<string, string>>> => {
  const t = forTenant(app.db, company.tenantId)
  const person = await app.person(company)
  await app.token(person)
  const [session] = await findSessions(t, person.id, app.clock.now())
  const admin = await findUser(t, company.admin.id)
  const [role] = (await t.run({ text: 'select id from authsec.roles limit 1', params: [], arrays: true })) as string[][]
  const [event] = await app.events(company.tenantId)
  const handle = (purpose: 'login' | 'email_change' | 'password_reset' | 'set_password'): Promise<string> =>
    atomically(t, (tx) =>
      startLoginTransaction(tx, app.ctx, { purpose, userId: person.id, clientId: null, verified: ['pwd'], data: null, seconds: 600 }),
    )
  return {
    tenant: company.tenantId,
    client: company.clientId,
    administrator: company.admin.id,
    person: person.id,
    session: session?.id ?? '',
    project: admin?.projectId ?? '',
    role: role?.[0] ?? '',
    event: event?.id ?? '',
    'login ticket': await handle('login'),
    'change of address': await handle('email_change'),
    'reset of a password': await handle('password_reset'),
    'first password': await handle('set_password'),
  }
}

/** Placeholder for an unknown identifier: of the same form, and of the same tenant where the form contains one. */
const unknownLike = (identifier: string): string => {
  const [, random] = identifier.split('.')
  return random === undefined ? NOBODYS_ID : `${identifier.slice(0, 36)}.${createHash('sha256').update(random).digest('base64url')}`
}

const credentialsOf = async (app: TestApp, company: Company, route: Route<never>): Promise<Readonly<Record<string, string | undefined>>> => {
  const wanted = route.access.rule === 'permission' ? route.access.all : []
  const token = (person: Person): Promise<string> => app.token(person, ['pwd', 'otp', 'mfa'])
  return {
    'no credentials': undefined,
    'a person': await token(await app.person(company)),
    'a person with the permissions': await token(await app.person(company, wanted)),
    'an administrator': await token(company.admin),
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }

const send = async (listed: Listed, slot: Slot, identifier: string, token: string | undefined) => {
  const { route } = listed
  const path = fillPath(
    route,
    Object.fromEntries(parametersOf(route).map((name) => [name, slot.part === 'path' && slot.name === name ? identifier : NOBODYS_ID])),
  )
  const body = route.body === undefined ? undefined : { ...sampleOf(route.body), ...(slot.part === 'body' ? { [slot.name]: identifier } : {}) }
  const { body: text, ...told } = await comparableResponse(
    await every.send(listed, {
      path: slot.part === 'query' ? `${path}?${slot.name}=${encodeURIComponent(identifier)}` : path,
      ...(token === undefined ? {} : { token }),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_TYPE }),
    }),
  )
  // The response may repeat the request.
  return { ...told, body: text.replaceAll(identifier, 'ASKED').replaceAll(encodeURIComponent(identifier), 'ASKED') }
}

/** Every row of a company, including refusals in its audit log. */
const stateOf = async (app: TestApp, { tenantId }: Company): Promise<unknown> => [await rowsOf(app, tenantId), (await app.events(tenantId)).length]

const crossed = rows((route) => slotsOf(route).some((slot) => !isDoor(route, slot)))

type Theirs = { readonly company: Company; readonly identifiers: Readonly<Record<string, string>>; readonly state: unknown }
const ofGroups = new Map<string, Promise<Theirs>>()
/** The other company at a group: created once, because no request may change it. */
const theirsAt = (listed: Listed): Promise<Theirs> => {
  const make = async (): Promise<Theirs> => {
    const app = every.appOf(listed)
    const company = await app.company('theirs')
    const identifiers = await identifiersOf(app, company)
    return { company, identifiers, state: await stateOf(app, company) }
  }
  const known = ofGroups.get(listed.group.name) ?? make()
  ofGroups.set(listed.group.name, known)
  return known
}

describe('an identifier of another company', () => {
  test.each(crossed)('%s', async (_, listed) => {
    const app = every.appOf(listed)
    const theirs = await theirsAt(listed)
    const ours = await app.company('ours')
    for (const [who, token] of Object.entries(await credentialsOf(app, ours, listed.route))) {
      for (const slot of slotsOf(listed.route).filter((each) => !isDoor(listed.route, each))) {
        // Each different request is sent once: most identifiers have the same unknown counterpart.
        const unknowns = new Map<string, Awaited<ReturnType<typeof send>>>()
        for (const [what, identifier] of Object.entries(theirs.identifiers)) {
          const about = `${who}, ${slot.part}.${slot.name}: ${what}`
          expect(identifier, about).not.toBe('')
          const foreign = await send(listed, slot, identifier, token)
          const unlike = unknownLike(identifier)
          const unknown = unknowns.get(unlike) ?? (await send(listed, slot, unlike, token))
          unknowns.set(unlike, unknown)
          expect(foreign, about).toEqual(unknown)
        }
      }
    }
    expect(await stateOf(app, theirs.company)).toEqual(theirs.state)
  })

  test('is sent to at least one route', () => {
    expect(crossed.length).toBeGreaterThan(3)
  })
})
