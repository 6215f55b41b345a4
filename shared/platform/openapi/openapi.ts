// Generates OpenAPI 3.1 from route declarations, at build time only.
import * as z from 'zod'
import { ERRORS } from '#shared/kernel/errors'
import { LIMITS } from '#shared/platform/http/access'
import type { ErrorRenderer } from '#shared/platform/http/problem'
import { methodOf, pathOf, type Reply, type Route, type Schema } from '#shared/platform/http/route'
import { type Components, createComponents, pascal } from './components.ts'
import type { AccessNote, Content, Header, JsonSchema, OpenApiDocument, Operation, Parameter, Ref, Response } from './document.ts'
import { errorShape, failureHeaders, failuresOf } from './failures.ts'
import { operationDescription } from './operation-description.ts'

/** A group as documented. */
export type DocumentedGroup = {
  readonly name: string
  readonly about: string
  readonly routes: readonly Route<never>[]
  readonly render: ErrorRenderer
}
type Options = { readonly title: string; readonly version: string; readonly baseUrl?: string }
type Variant = Reply<unknown>['variants'][number]

const ABOUT =
  'Every error has a stable `code`; `x-error-codes` lists those of each status. `x-access` states who may call an operation and how often, `x-audit-events` the audit events that it writes. ' +
  'The acting tenant is the token\u2019s: a request that names another tenant\u2019s id is refused.'

const SECURITY_SCHEMES: Readonly<Record<string, JsonSchema>> = {
  session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The session token that a sign-in returns.' },
  client: { type: 'http', scheme: 'basic', description: 'A client\u2019s id and secret (RFC 6749 section 2.3.1).' },
  browser: { type: 'apiKey', in: 'cookie', name: '__Host-authsec_session', description: 'The session of the hosted pages, in a browser.' },
  workload: {
    type: 'apiKey',
    in: 'header',
    name: 'SVID-Proof',
    description:
      'A JWS by the key of an X.509-SVID, for one request. Header: `typ` svid-proof+jwt, `alg`, and `x5c` with the SVID. Claims: `aud` (the whole address), `htm` (the method), `iat`, `jti`, and `body_digest` (SHA-256 of the body in base64url). It is accepted once, within a minute.',
  },
  scraper: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN of the deployment.' },
}

const HEADERS = {
  'X-Request-ID': {
    name: 'RequestId',
    description: 'Identifies this request in the audit log and in the server log; echoed when sent.',
    schema: { type: 'string' },
  },
  'Retry-After': { name: 'RetryAfter', description: 'Seconds to wait before the next try.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { name: 'WwwAuthenticate', description: 'What is missing (RFC 6750 section 3, RFC 9470).', schema: { type: 'string' } },
} as const
const header = (name: keyof typeof HEADERS): Header => ({ $ref: `#/components/headers/${HEADERS[name].name}` })

const SUCCESS: Readonly<Record<number, string>> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Accepted; processing continues.',
  204: 'Done; no body.',
  206: 'Partial content.',
  302: 'Redirect.',
  303: 'Redirect to another page.',
  428: 'One more step is needed.',
  503: 'Unavailable.',
}

/** `/a/:id` -> `/a/{id}` */
const templateOf = (path: string): string => path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')

const accessNote = ({ access }: Route<never>): AccessNote => {
  const { perAddress, perAccount } = LIMITS[access.limit.class]
  const { account } = access.limit
  return {
    rule: access.rule,
    ...(access.rule === 'open' || access.rule === 'page' || access.rule === 'userOrNobody' ? { why: access.why } : {}),
    ...(access.rule === 'permission' || access.rule === 'client' ? { permissions: access.all } : {}),
    ...(access.rule === 'client' ? { orUser: access.orUser } : {}),
    ...('stepUp' in access && access.stepUp !== undefined ? { stepUp: access.stepUp } : {}),
    limit: {
      class: access.limit.class,
      perMinuteAndAddress: perAddress,
      ...(account === undefined ? {} : { perMinuteAndAccount: perAccount, account }),
    },
  }
}

const securityOf = ({ access }: Route<never>): Operation['security'] => {
  if (access.rule === 'open') return []
  if (access.rule === 'page') return [{}, { browser: [] }]
  if (access.rule === 'browser') return [{ browser: [] }]
  if (access.rule === 'userOrNobody') return [{ session: [] }, {}]
  if (access.rule === 'client') return [{ client: [] }, ...(access.orUser ? [{ session: [] }] : [])]
  if (access.rule === 'workload') return [{ workload: [] }]
  return [{ [access.rule === 'metrics' ? 'scraper' : 'session']: [] }]
}

/** The If-Match parameter of routes with optimistic concurrency (RFC 9110 section 13.1.1). */
const ifMatchOf = ({ errors }: Route<never>, components: Components): readonly Parameter[] =>
  errors.includes('precondition_failed')
    ? [
        {
          name: 'If-Match',
          in: 'header',
          required: errors.includes('precondition_required'),
          schema: components.put('EntityTags', { type: 'string' }),
        },
      ]
    : []

const parametersOf = (route: Route<never>, components: Components): readonly Parameter[] => {
  const of = (place: Parameter['in'], schema: Schema | undefined): Parameter[] =>
    schema === undefined
      ? []
      : components
          .members(schema, pascal(route.id))
          .map((member) => ({ name: member.name, in: place, required: place === 'path' || member.required, schema: member.schema }))
  const parameters = [...of('path', route.path), ...of('query', route.query)]
  const inPath = [...pathOf(route).matchAll(/:(\w+)/g)].map(([, name]) => name)
  const described = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
  if (inPath.sort().join() !== described.sort().join()) throw new Error(`${route.id}: the path and its schema name different parameters.`)
  return [...parameters, ...ifMatchOf(route, components)]
}

const FORM = 'application/x-www-form-urlencoded'
const requestOf = (route: Route<never>, components: Components): Operation['requestBody'] => {
  const schema = route.body ?? route.form
  if (schema === undefined) return undefined
  const ref = components.ref(schema, 'input', `${pascal(route.id)}Body`)
  // A route without a body gets an empty object; the body is required unless that suffices.
  const required = !z.safeParse(schema, {}).success
  const content = { [route.body ? (route.bodyType ?? 'application/json') : FORM]: { schema: ref } }
  return { required, content: route.orForm ? { ...content, [FORM]: { schema: ref } } : content }
}

const contentOf = (route: Route<never>, variant: Variant, several: boolean, components: Components): Content => {
  if (variant.type === '') return {}
  const name = `${pascal(route.id)}Reply${several ? variant.status : ''}`
  const undescribed = () => (variant.type.startsWith('application/json') ? components.put('AnyJson', {}) : components.put('Text', { type: 'string' }))
  return { [variant.type]: { schema: variant.schema === undefined ? undescribed() : components.ref(variant.schema, 'output', name) } }
}

const successOf = (route: Route<never>, variant: Variant, components: Components): Response => {
  const fixed = { ...(route.cache === undefined ? {} : { 'Cache-Control': route.cache }), ...variant.headers }
  const headers = Object.entries(fixed).map(([name, value]): [string, Header] => [
    name,
    { description: value, schema: components.put('HeaderText', { type: 'string' }) },
  ])
  const content = contentOf(route, variant, route.reply.variants.length > 1, components)
  return {
    description: SUCCESS[variant.status] ?? 'Done.',
    headers: { 'X-Request-ID': header('X-Request-ID'), ...Object.fromEntries(headers) },
    ...(Object.keys(content).length === 0 ? {} : { content }),
  }
}

/** A status can be both a reply and an error (503 of a health check). */
const both = (reply: Response, failure: Response): Response => {
  const content: Record<string, Content[string]> = { ...reply.content }
  for (const [type, { schema }] of Object.entries(failure.content ?? {})) {
    const known = content[type]?.schema
    const refs = [known, schema].flatMap((one) => (one === undefined ? [] : 'anyOf' in one ? one.anyOf : [one]))
    content[type] = { schema: refs.length === 1 ? schema : { anyOf: refs } }
  }
  return { ...failure, description: `${reply.description} ${failure.description}`, headers: { ...failure.headers, ...reply.headers }, content }
}

const responsesOf = (route: Route<never>, render: ErrorRenderer, components: Components): Operation['responses'] => {
  const shape = errorShape(render)
  const error = components.put(shape.name, shape.schema)
  const replies = new Map(route.reply.variants.map((variant): [number, Response] => [variant.status, successOf(route, variant, components)]))
  const responses = new Map<number, Response | Ref>(replies)
  for (const [status, codes] of failuresOf(route)) {
    const names = ['X-Request-ID', ...failureHeaders(status, codes)] as const
    const failure: Response = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('\n'),
      headers: Object.fromEntries(names.map((name) => [name, header(name)])),
      content: { [shape.type]: { schema: error } },
      'x-error-codes': { enum: codes },
    }
    const reply = replies.get(status)
    const own = codes.some((code) => route.errors.includes(code))
    if (reply !== undefined) responses.set(status, both(reply, failure))
    else responses.set(status, own ? failure : components.respond(`${shape.name}${codes.map(pascal).join('Or')}`, failure))
  }
  return Object.fromEntries([...responses].sort(([a], [b]) => a - b).map(([status, response]) => [String(status), response]))
}

const operationOf = (group: DocumentedGroup, route: Route<never>, components: Components): Operation => {
  const parameters = parametersOf(route, components)
  const requestBody = requestOf(route, components)
  const auditEvents = route.emits === 'nothing' ? [] : route.emits
  const access = accessNote(route)
  return {
    operationId: route.id,
    summary: route.summary,
    description: operationDescription(access, auditEvents),
    tags: [group.name],
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: responsesOf(route, route.render ?? group.render, components),
    'x-access': access,
    'x-errors': [...failuresOf(route).values()].flat().sort(),
    'x-audit-events': auditEvents,
  }
}

/** The document of these groups. The same declarations give the same text, in the order of groups and of their routes. */
export const openapiOf = (groups: readonly DocumentedGroup[], { title, version, baseUrl }: Options): OpenApiDocument => {
  const components = createComponents()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const group of groups) {
    for (const route of group.routes) {
      const path = templateOf(pathOf(route))
      paths[path] = { ...paths[path], [methodOf(route).toLowerCase()]: operationOf(group, route, components) }
    }
  }
  const headers = Object.values(HEADERS).map(({ name, description, schema }): [string, Header] => [
    name,
    { description, schema: components.put(name, schema) },
  ])
  return {
    openapi: '3.1.0',
    info: { title, version, description: ABOUT },
    servers: [{ url: baseUrl ?? '/' }],
    tags: groups.map(({ name, about }) => ({ name, description: about })),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, headers: Object.fromEntries(headers), ...components.all() },
  }
}
