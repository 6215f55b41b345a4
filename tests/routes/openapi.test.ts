import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { ERRORS } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { authsecError, problem } from '#shared/platform/http/problem'
import { json, oneOfStatuses, type Route, routeFor, text } from '#shared/platform/http/route'
import { type OpenApiDocument, operationsOf, responseOf } from '#shared/platform/openapi/document'
import { openapiOf } from '#shared/platform/openapi/openapi'
import { GROUPS } from '../../apps/groups.ts'
import { apiDocument } from '../../scripts/openapi.ts'

const document = apiDocument()
const routes: readonly Route<never>[] = GROUPS.flatMap(({ routes }) => [...routes])
const operations = operationsOf(document)

/** Every value of a key, at any depth. */
const allOf = (value: unknown, key: string): unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, member]) => [...(name === key ? [member] : []), ...allOf(member, key)])

const problemsOf = async (made: OpenApiDocument): Promise<unknown> => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(made)))
  return valid ? undefined : errors
}

test('the document is valid OpenAPI 3.1, and every reference resolves', async () => {
  expect(await problemsOf(document)).toBeUndefined()
  for (const ref of allOf(document, '$ref')) {
    const found = String(ref)
      .slice(2)
      .split('/')
      .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], document)
    expect(found, String(ref)).toBeDefined()
  }
})

test('every route is an operation with a unique id', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(ids.toSorted()).toEqual(routes.map(({ id }) => id).toSorted())
  expect(new Set(ids).size).toBe(ids.length)
  expect(operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`).toSorted()).toEqual(
    routes.map(({ on }) => on).toSorted(),
  )
})

test('every schema of a body, a reply, a parameter and a header is named', () => {
  for (const schema of allOf(document.paths, 'schema').concat(allOf(document.components.responses, 'schema'))) {
    const refs = (schema as { anyOf?: readonly unknown[] }).anyOf ?? [schema]
    for (const ref of refs) expect(ref).toEqual({ $ref: expect.stringMatching(/^#\/components\/schemas\/[A-Z]\w*$/) })
  }
})

test('every declared error is listed under its status, with those of access and parsing', () => {
  for (const route of routes) {
    const operation = operations.find((one) => one.operation.operationId === route.id)?.operation
    if (operation === undefined) throw new Error(`${route.id} is missing`)
    const { access } = route
    const isForClients = access.rule === 'client' && !access.orUser
    const refusals = isForClients ? (['client_authentication_failed'] as const) : (['unauthorized', 'invalid_token'] as const)
    const guarded = ['open', 'page', 'browser'].includes(access.rule) ? [] : refusals
    const parsed = route.body === undefined ? [] : (['invalid_json', 'unsupported_media_type', 'payload_too_large'] as const)
    for (const code of [...route.errors, ...guarded, ...parsed, 'invalid_request', 'rate_limited', 'unavailable', 'timeout', 'internal'] as const) {
      const response = operation.responses[ERRORS[code].status]
      if (response === undefined) throw new Error(`${route.id}: ${code} has no response`)
      expect(responseOf(document, response)['x-error-codes']?.enum, `${route.id} ${code}`).toContain(code)
      expect(operation['x-errors']).toContain(code)
    }
  }
})

test('responses may gain members: only bodies refuse unknown ones', () => {
  const bodies = new Set(operations.flatMap(({ operation }) => allOf(operation.requestBody, '$ref')).map((ref) => String(ref).split('/').pop()))
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (!bodies.has(name)) expect(allOf(schema, 'additionalProperties'), name).not.toContain(false)
  }
  expect(document.components.schemas.ChangePassword?.additionalProperties).toBe(false)
})

test('formats are listed without patterns that repeat them', () => {
  for (const properties of allOf(document, 'properties')) {
    for (const member of Object.values(properties as Readonly<Record<string, { format?: string; pattern?: string }>>)) {
      if (member.format !== undefined) expect(member.pattern).toBeUndefined()
    }
  }
})

test('the access rule is described, and why an open route is open', () => {
  for (const { operation } of operations) {
    const access = operation['x-access']
    expect(operation.security.length, operation.operationId).toBe(
      access.rule === 'open' ? 0 : (access.rule === 'client' && access.orUser) || access.rule === 'userOrNobody' || access.rule === 'page' ? 2 : 1,
    )
    if (access.rule === 'open' || access.rule === 'userOrNobody') expect(access.why).not.toBe('')
    if (access.rule === 'permission') expect(access.permissions?.length).toBeGreaterThan(0)
    expect(access.limit.perMinuteAndAddress).toBeGreaterThan(0)
  }
})

type Ctx = Parameters<Route<never>['handle']>[0]['ctx']
const route = routeFor<Ctx>()
const plain = { errors: [], emits: 'nothing', summary: 'A route.', access: open('A test.', { class: 'general' }) } as const
const of = (...made: Route<never>[]) => openapiOf([{ name: 'x', about: '', routes: made, render: problem }], { title: 't', version: '1' })

test('a schema without an id is named after its operation, several replies by their status', async () => {
  const made = of(
    route({
      ...plain,
      id: 'thing.make',
      on: 'POST /things/:thing_id/parts',
      path: z.strictObject({ thing_id: z.uuid() }),
      query: z.strictObject({ dry_run: z.stringbool().optional() }),
      body: z.strictObject({ name: z.string() }),
      reply: oneOfStatuses({ 200: z.object({ a: z.string() }), 201: z.object({ b: z.string() }) }),
      handle: async () => ({ status: 200 as const, body: { a: '' } }),
    }),
  )
  expect(await problemsOf(made)).toBeUndefined()
  const names = ['ThingMakeBody', 'ThingMakeDryRun', 'ThingMakeReply200', 'ThingMakeReply201', 'ThingMakeThingId']
  expect(Object.keys(made.components.schemas)).toEqual(expect.arrayContaining(names))
  expect(Object.keys(made.paths)).toEqual(['/things/{thing_id}/parts'])
})

test('two schemas with one name, and a path that does not match its schema, stop the generator', () => {
  const shape = { ...plain, reply: json(200, z.object({ a: z.string() }).meta({ id: 'SameName' })), handle: async () => ({ a: '' }) }
  const other = { ...plain, reply: json(200, z.object({ a: z.int() }).meta({ id: 'OtherName' })), handle: async () => ({ a: 1 }) }
  expect(() => of(route({ ...shape, id: 'other.name', on: 'GET /a' }), route({ ...other, id: 'b', on: 'GET /b' }))).not.toThrow()
  const body = z.strictObject({ a: z.string() }).meta({ id: 'Both' })
  expect(() => of(route({ ...plain, id: 'c', on: 'POST /c', body, reply: json(200, body), handle: async () => ({ a: '' }) }))).toThrow('Both')
  expect(() => of(route({ ...shape, id: 'd', on: 'GET /d/:x' }))).toThrow('d: the path')
})

test('a renderer without a described shape stops the generator', () => {
  const made = route({ ...plain, id: 'a', on: 'GET /a', reply: text(200, 'text/plain'), handle: async () => '' })
  const group = { name: 'x', about: '', routes: [made] }
  expect(() => openapiOf([{ ...group, render: (error, id) => authsecError(error, id) }], { title: 't', version: '1' })).toThrow('renderer')
})

test('a required recent sign-in is described', () => {
  const made = of(
    route({ ...plain, id: 'a', on: 'GET /a', access: user({ withinSeconds: 900 }), reply: text(200, 'text/plain'), handle: async () => '' }),
  )
  const [operation] = operationsOf(made)
  expect(operation?.operation['x-access'].stepUp).toEqual({ withinSeconds: 900 })
  expect(operation?.operation['x-errors']).toContain('insufficient_user_authentication')
})
