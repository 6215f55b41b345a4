// Drives every route of every group, for tests: apps whose statements and handled calls are observed, and permitted callers.
import { type DatabaseScope, type Engine, openDb, type Statement } from '#db/engine/client'
import { hostCookie } from '#shared/platform/http/pages/visit'
import { methodOf, pathOf, type Route } from '#shared/platform/http/route'
import type { DocumentedGroup } from '#shared/platform/openapi/openapi'
import { GROUPS } from '../../apps/groups.ts'
import { platformAdministrator } from '../seeds/seeds.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { testDb } from '../support/database.ts'
import { newOauthClient } from '../support/oauth.ts'
import { newWorkload, type TestWorkload } from '../support/workloads.ts'

export const METRICS_TOKEN = 'a-scraper-of-the-tests'

export type Listed = { readonly group: DocumentedGroup; readonly route: Route<never>; readonly id: string }
export const ROUTES: readonly Listed[] = GROUPS.flatMap((group) => group.routes.map((route) => ({ group, route, id: route.id })))

/** Routes for people in a browser. */
export const isPage = ({ access }: Route<never>): boolean => access.rule === 'page' || access.rule === 'browser'

/** A visit with its cookie. */
const BROWSER = 'v'.repeat(43)
const VISIT = Buffer.from(JSON.stringify({ browser: BROWSER })).toString('base64url')
/** The headers of a browser on one of our own pages, with its session. */
export const fromOwnPage = (token: string | undefined, secure = false): Readonly<Record<string, string>> => ({
  'sec-fetch-site': 'same-origin',
  cookie: [`${hostCookie('visit', secure)}=${VISIT}`, ...(token === undefined ? [] : [`${hostCookie('session', secure)}=${token}`])].join('; '),
})
/** The form token of our own page, in that visit and session. */
export const formTokenIn = ({ ctx }: Pick<TestApp, 'ctx'>, token: string | undefined): string =>
  Buffer.from(ctx.hash('form', BROWSER, token ?? '')).toString('base64url')

/** Stands for the proof of a workload, which `send` makes for each request. */
const WORKLOAD = 'a workload'

/** Rows for `test.each`: the id names the test. */
export const rows = (which: (route: Route<never>) => boolean): [string, Listed][] =>
  ROUTES.filter(({ route }) => which(route)).map((listed) => [listed.id, listed])

export const parametersOf = (route: Route<never>): string[] => [...pathOf(route).matchAll(/:(\w+)/g)].map(([, name]) => name ?? '')

export const fillPath = (route: Route<never>, path: Readonly<Record<string, string>>): string =>
  pathOf(route).replace(/:(\w+)(\{[^}]*\})?/g, (_, name: string) => path[name] ?? '')

type Seen = { readonly scope: DatabaseScope; readonly statement: Statement }

const watching = (engine: Engine, seen: Seen[], kept: Seen[]): Engine => ({
  ...engine,
  one: async (scope, statement) => {
    seen.push({ scope, statement })
    const rows = await engine.one(scope, statement)
    kept.push({ scope, statement })
    return rows
  },
  transaction: async (scope, work) => {
    const own: Seen[] = []
    const result = await engine.transaction(scope, (run) =>
      work((statement) => {
        seen.push({ scope, statement })
        own.push({ scope, statement })
        return run(statement)
      }),
    )
    kept.push(...own)
    return result
  },
})

export type Send = { readonly path: string; readonly token?: string; readonly body?: BodyInit; readonly headers?: Readonly<Record<string, string>> }

/** One app per group. `seen` has every statement, `kept` those that were not rolled back, `handled` every call that reached its rule. */
export const startEveryGroup = async () => {
  const seen: Seen[] = []
  const kept: Seen[] = []
  const handled: string[] = []
  const db = openDb(watching((await testDb()).engine, seen, kept))
  const apps = new Map<string, TestApp>()
  for (const { name, routes, render } of GROUPS) {
    const watched = routes.map(
      (route): Route<never> => ({
        ...route,
        handle: (call) => {
          handled.push(route.id)
          return route.handle(call)
        },
      }),
    )
    apps.set(name, await startApp(watched, { db, render, env: { METRICS_TOKEN } }))
  }

  const appOf = ({ group }: Listed): TestApp => {
    const app = apps.get(group.name)
    if (app === undefined) throw new Error(`${group.name} was not started`)
    return app
  }

  const workloads = new Map<string, Promise<TestWorkload>>()
  const workloadOf = (listed: Listed): Promise<TestWorkload> => {
    const app = appOf(listed)
    const made = workloads.get(listed.group.name) ?? app.company('entitled').then((company) => newWorkload(app, company))
    workloads.set(listed.group.name, made)
    return made
  }
  /** The header by which the caller authenticates. */
  const credential = async (listed: Listed, { path, token, body }: Send): Promise<Readonly<Record<string, string>>> => {
    if (token === undefined) return {}
    if (token === WORKLOAD) {
      const { pathname, search } = new URL(path, 'http://localhost')
      const text = body === undefined || body === null ? '' : await new Response(body).text()
      return (await workloadOf(listed)).proof({ path: `${pathname}${search}`, body: text, method: methodOf(listed.route) })
    }
    return { authorization: token.startsWith('Basic ') ? token : `Bearer ${token}` }
  }

  const send = async (listed: Listed, { path, token, body, headers }: Send): Promise<Response> =>
    appOf(listed).app.request(
      path,
      {
        method: methodOf(listed.route),
        headers: {
          ...(await credential(listed, { path, ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { body }) })),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      },
      { peer: { address: '192.0.2.1', secure: false } },
    )

  const formToken = (listed: Listed, token: string | undefined): string => formTokenIn(appOf(listed), token)

  let clientCredential: Promise<string> | undefined
  const tokens = new Map<string, string>()
  /** A token that the route's access rule accepts; none for an open one. */
  const entitled = async (listed: Listed): Promise<string | undefined> => {
    const { access } = listed.route
    if (access.rule === 'open') return undefined
    if (access.rule === 'metrics') return METRICS_TOKEN
    if (access.rule === 'workload') {
      await workloadOf(listed)
      return WORKLOAD
    }
    if (access.rule === 'client' && !access.orUser) {
      const app = appOf(listed)
      clientCredential ??= newOauthClient(app, await app.company('entitled'), { permissions: access.all }).then(({ authorization }) => authorization)
      return clientCredential
    }
    const permissions = access.rule === 'permission' ? access.all : []
    const key = `${listed.group.name} ${permissions.join()}`
    const token = tokens.get(key) ?? (await entitledToken(appOf(listed), permissions))
    tokens.set(key, token)
    return token
  }

  /** The next token for the route is a new one: the last call may have ended its session. */
  const renew = ({ group }: Listed): void => {
    for (const key of tokens.keys()) if (key.startsWith(`${group.name} `)) tokens.delete(key)
  }

  /** Clears the observations: for a whole sweep they would use hundreds of megabytes. */
  const forget = (): void => {
    seen.length = 0
    kept.length = 0
  }

  return { appOf, send, entitled, formToken, renew, forget, seen, kept, handled }
}
export type EveryGroup = Awaited<ReturnType<typeof startEveryGroup>>

/** The tenant of a session token. */
export const tenantOfToken = (token: string): string | undefined => {
  const claims = token.split('.')[1]
  return claims === undefined ? undefined : (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { tenant_id?: string }).tenant_id
}

/** Permissions that exist only in the system tenant. */
export const isOfPlatform = (permission: string): boolean => permission.startsWith('platform:')

/** A token of a person with these permissions, signed in with a second factor. */
export const entitledToken = async (app: TestApp, permissions: readonly `${string}:${string}`[]): Promise<string> => {
  const person = permissions.some(isOfPlatform) ? await platformAdministrator(app) : await app.person(await app.company('entitled'), permissions)
  return app.token(person, ['pwd', 'otp', 'mfa'])
}

/** The stable code of an error, wherever the route's error shape has it. */
export const errorCodeIn = async (response: Response): Promise<unknown> => {
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/html')) return /<body[^>]*data-code="(\w+)"/.exec(await response.clone().text())?.[1]
  const { code, error } = (await response.clone().json()) as { readonly code: unknown; readonly error: unknown }
  return typeof code === 'number' ? error : code
}

/** Generated for every response: backup codes, the id of an object that was just created for the caller. */
const MADE_ANEW = /"(backup_codes|link_id)":(\[[^\]]*\]|"[^"]*")/g

/** A response without the parts that vary between requests. */
export const comparableResponse = async (
  response: Response,
): Promise<{ readonly status: number; readonly type: string | null; readonly body: string }> => ({
  status: response.status,
  type: response.headers.get('content-type'),
  body: (await response.text()).replaceAll(response.headers.get('x-request-id') ?? '', 'REQUEST').replaceAll(MADE_ANEW, '"$1":"NEW"'),
})
