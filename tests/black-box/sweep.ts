// The requests that every route receives: without credentials, with an invalid token, by a permitted caller, with an invalid body; its preflight, its HEAD, another method.

import { FORM_TOKEN } from '#shared/platform/http/pages/form'
import { methodOf } from '#shared/platform/http/route'
import { entitledToken, fillPath, formTokenIn, fromOwnPage, isPage, type Listed, METRICS_TOKEN, parametersOf } from '../routes/every-route.ts'
import { OWN_TENANT, sampleOf } from '../routes/sample.ts'
import { SEEDS, type Seed } from '../seeds/seeds.ts'
import type { Company } from '../support/app.ts'
import { BOX_HOST, type BoxRequest } from './answers.ts'
import type { Box } from './systems.ts'

const UNUSED_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'

export type NamedRequest = { readonly what: string; readonly request: BoxRequest }

const bearer = (token: string | undefined): Readonly<Record<string, string>> => (token === undefined ? {} : { authorization: `Bearer ${token}` })

/** The permitted caller and the path parameters, from the route's seed where it has one. */
const prepare = async (
  { app }: Box,
  { route, id }: Listed,
  company: Company,
): Promise<{ readonly seed: Seed; readonly token: string | undefined }> => {
  const make = SEEDS[id]
  const seed: Seed =
    make === undefined ? { path: Object.fromEntries(parametersOf(route).map((name) => [name, UNUSED_ID])) } : await make(app, company)
  if (seed.owner !== undefined) return { seed, token: await app.token(seed.owner, seed.amr) }
  const { access } = route
  if (access.rule === 'open' || (make !== undefined && seed.headers?.authorization !== undefined)) return { seed, token: undefined }
  if (access.rule === 'metrics') return { seed, token: METRICS_TOKEN }
  return { seed, token: await entitledToken(app, access.rule === 'permission' ? access.all : []) }
}

const encoded = (members: Readonly<Record<string, unknown>>): string =>
  new URLSearchParams(
    Object.entries(members).flatMap(([name, value]) => (typeof value === 'object' ? [] : [[name, String(value)] as [string, string]])),
  ).toString()

export const requestsOf = async (box: Box, listed: Listed): Promise<readonly NamedRequest[]> => {
  const { route } = listed
  const company = await box.app.company('lambda')
  const { seed, token } = await prepare(box, listed, company)
  const method = methodOf(route)
  const tenantId = seed.owner?.tenantId ?? company.tenantId
  const filled = (schema: NonNullable<typeof route.body>): Readonly<Record<string, unknown>> =>
    JSON.parse(
      JSON.stringify(sampleOf(schema))
        .replaceAll(OWN_TENANT, tenantId)
        .replaceAll('sample@sample.example', `${listed.id.toLowerCase()}@sample.example`),
    ) as Readonly<Record<string, unknown>>
  const path = fillPath(route, seed.path)
  const query = seed.query ?? (route.query === undefined ? '' : encoded(filled(route.query)))
  const at = query === '' ? path : `${path}?${query}`
  const credentials = isPage(route) ? fromOwnPage(token, true) : bearer(token)
  const type = route.form !== undefined ? 'application/x-www-form-urlencoded' : (route.bodyType ?? 'application/json')
  const own = { ...credentials, ...(route.body === undefined && route.form === undefined ? {} : { 'content-type': type }), ...seed.headers }
  const body =
    route.form !== undefined
      ? encoded({ ...filled(route.form), ...seed.body, ...(isPage(route) ? { [FORM_TOKEN]: formTokenIn(box.app, token) } : {}) })
      : route.body === undefined
        ? undefined
        : route.bodyType === 'text/csv'
          ? 'email,name\nzoe@sample.example,Zoë\n'
          : JSON.stringify(seed.body ?? filled(route.body))
  const malformed =
    body === undefined ? [] : [{ what: 'an invalid body', request: { method, path: at, headers: own, body: new Uint8Array([0x7b, 0xff, 0x26]) } }]
  const other = method === 'PUT' ? 'PATCH' : 'PUT'
  const preflight = { origin: `https://${BOX_HOST}`, 'access-control-request-method': method }
  return [
    { what: 'without credentials', request: { method, path } },
    { what: 'an invalid token', request: { method, path, headers: isPage(route) ? fromOwnPage('a.b.c', true) : bearer('a.b.c') } },
    ...malformed,
    ...(method === 'GET' ? [{ what: 'HEAD', request: { method: 'HEAD', path: at, headers: own } }] : []),
    { what: 'a permitted caller', request: { method, path: at, headers: own, ...(body === undefined ? {} : { body }) } },
    { what: 'a preflight', request: { method: 'OPTIONS', path, headers: preflight } },
    { what: 'another method', request: { method: other, path, headers: { origin: 'https://elsewhere.example' } } },
  ]
}
