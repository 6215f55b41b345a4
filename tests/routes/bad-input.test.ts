// Bad input on every route: a 4xx with a stable code and the failing field, before anything is done.
import { afterEach, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { ERRORS, type ErrorCode } from '#shared/kernel/errors'
import { type ErrorRenderer, registrationError } from '#shared/platform/http/problem'
import type { Route, Schema } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import {
  type EveryGroup,
  errorCodeIn,
  fillPath,
  fromOwnPage,
  isPage,
  type Listed,
  parametersOf,
  rows,
  type Send,
  startEveryGroup,
  tenantOfToken,
} from './every-route.ts'
import { OWN_TENANT, sampleOf } from './sample.ts'

const SOME_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'
const MIB = 1024 * 1024
const FAR_TOO_LONG = 100_000
const SCRIPT = '<script>alert(1)</script>'
const JSON_TYPE = { 'content-type': 'application/json' }

let every: EveryGroup
beforeAll(async () => {
  every = await startEveryGroup()
})
afterEach(() => every.forget())

const somewhere = ({ route }: Listed): string =>
  fillPath(route, Object.fromEntries(parametersOf(route).map((name) => [name, name === 'tenant_id' || name === 'tenantId' ? OWN_TENANT : SOME_ID])))

/** Sends it as a permitted caller. */
const sendEntitled = async (listed: Listed, what: Omit<Send, 'token'>): Promise<Response> => {
  const token = await every.entitled(listed)
  const own = (token === undefined ? undefined : tenantOfToken(token)) ?? SOME_ID
  const { body, path } = what
  const response = await every.send(listed, {
    ...what,
    path: path.replaceAll(OWN_TENANT, own),
    ...(typeof body === 'string' ? { body: body.replaceAll(OWN_TENANT, own) } : {}),
    ...(isPage(listed.route) ? { headers: { ...fromOwnPage(token), ...what.headers } } : token === undefined ? {} : { token }),
  })
  // Pages return errors as HTML, the API as JSON.
  if (response.status >= 400) expect(isHtml(response), `${response.status} ${path.slice(0, 200)}`).toBe(tellsPeople(listed))
  return response
}

const rendererOf = ({ route, group }: Listed): ErrorRenderer => route.render ?? group.render
const tellsPeople = (listed: Listed): boolean => [pageError, lazyPageError].includes(rendererOf(listed))
const isHtml = (response: Response): boolean => response.headers.get('content-type') === 'text/html; charset=utf-8'

type Notice = { readonly code: ErrorCode; readonly field?: string }

/** A refused form redirects to its page; the error that the page will display is in the visit's cookie. */
const toldByForm = (response: Response, about: string): Notice => {
  const visit = /^authsec_visit=([\w-]+)/.exec(response.headers.getSetCookie().join('\n'))?.[1] ?? ''
  const { said } = JSON.parse(Buffer.from(visit, 'base64url').toString()) as { readonly said: Notice & { readonly page: string } }
  expect(said.page, about).toBe(response.headers.get('location'))
  expect(Object.keys(ERRORS), about).toContain(said.code)
  if (said.code === 'invalid_request') expect(said.field, about).toMatch(/./)
  return said
}

const toldByPage = async (response: Response, about: string): Promise<Notice> => {
  const code = (await errorCodeIn(response)) as ErrorCode
  const html = await response.text()
  expect(ERRORS[code]?.status, about).toBe(response.status)
  expect(html, about).toContain(response.headers.get('x-request-id'))
  expect(html, about).not.toContain(SCRIPT)
  expect(response.headers.get('content-security-policy'), about).toContain("default-src 'none'")
  return { code }
}

const errorOf = async (response: Response, about: string): Promise<Notice> => {
  if (isHtml(response)) return response.status === 303 ? toldByForm(response, about) : toldByPage(response, about)
  const code = (await errorCodeIn(response)) as ErrorCode
  const body = (await response.json()) as { field?: string; request_id: string }
  expect(ERRORS[code]?.status, about).toBe(response.status)
  expect(body.request_id, about).toBe(response.headers.get('x-request-id'))
  if (code === 'invalid_request') expect(body.field, about).toMatch(/^(body|form|query|path|header)/)
  return { code, ...(body.field === undefined ? {} : { field: body.field }) }
}
const codeOf = async (response: Response, about: string): Promise<ErrorCode> => (await errorOf(response, about)).code

/** Registration has its own error code for invalid metadata (RFC 7591 section 3.2.2). */
const inItsWords = (listed: Listed, code: ErrorCode): ErrorCode =>
  code === 'invalid_request' && rendererOf(listed) === registrationError ? 'invalid_client_metadata' : code

/** A form's page names only the member; a page without a form only the error. */
const told = (listed: Listed, response: Response, code: ErrorCode, field: string): Notice => {
  if (!isHtml(response)) return { code: inItsWords(listed, code), field }
  return response.status === 303 ? { code, field: field.split('.').at(-1) ?? field } : { code }
}

/** Includes the field, so that another error of the same body is not accepted instead. */
type Case = { readonly name: string; readonly body: BodyInit; readonly type?: string; readonly code: ErrorCode; readonly field: string }

const inMember = (json: string): string => `{"member":${json}}`
const broken = (name: string, body: string): Case => ({ name, body, code: 'invalid_json', field: 'body' })
const mistyped = (name: string, body: string, type: string): Case => ({
  name,
  body,
  type,
  code: 'unsupported_media_type',
  field: 'header.content-type',
})
const refused = (name: string, field: string, body: BodyInit): Case => ({ name, body, code: 'invalid_request', field })

const HOSTILE: readonly Case[] = [
  broken('half an object', '{"email":"a@b.example"'),
  broken('a trailing comma', '{"a":1,}'),
  broken('no JSON at all', '<xml/>'),
  broken('a raw null byte', inMember('"a\0b"')),
  mistyped('another content type', '{}', 'text/plain'),
  mistyped('a form', 'email=a%40b.example', 'application/x-www-form-urlencoded'),
  mistyped('a content type with a valid prefix', '{}', 'application/jsonp'),
  refused('a null byte', 'body.member', inMember(String.raw`"a\u0000b"`)),
  refused('a null byte in a name', 'body', String.raw`{"a\u0000b":1}`),
  refused('a lone surrogate', 'body.member', inMember(String.raw`"\ud800"`)),
  refused('a lone surrogate in a name', 'body', String.raw`{"\udc00":1}`),
  refused('nesting of 100', 'body.member.0.0', inMember('['.repeat(100) + ']'.repeat(100))),
  refused('nesting of 50,000', 'body.member.0.0', inMember('['.repeat(50_000) + ']'.repeat(50_000))),
  refused('__proto__', 'body', '{"__proto__":{"admin":true}}'),
  refused('__proto__ further down', 'body.member.0', inMember('[{"__proto__":{"admin":true}}]')),
  refused('a huge number', 'body.member', inMember('1e999')),
  refused('an array', 'body', '[]'),
  refused('a text', 'body', '"text"'),
  refused('null', 'body', 'null'),
  refused('bytes that are not UTF-8', 'body', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])),
]

/** Bodies that are not JSON have their own tests next to their routes. */
const hasBody = ({ body, bodyType }: Route<never>): boolean => body !== undefined && bodyType !== 'text/csv'

test.each(rows(hasBody))('%s: hostile bodies are refused before anything is done', async (_, listed) => {
  const path = somewhere(listed)
  const handled = every.handled.length
  const hostile = HOSTILE.filter(({ type }) => type !== FORM_TYPE || listed.route.orForm !== true)
  for (const { name, body, type = 'application/json', code, field } of hostile) {
    const response = await sendEntitled(listed, { path, body, headers: { 'content-type': type } })
    expect(await errorOf(response, name), name).toMatchObject(told(listed, response, code, field))
  }
  expect(every.handled.length).toBe(handled)
})

test.each(rows(hasBody))('%s: a body that is too large is refused', async (_, listed) => {
  const bytes = 5 * MIB + (listed.route.maxBodyBytes ?? 0)
  const response = await sendEntitled(listed, { path: somewhere(listed), body: inMember(`"${'x'.repeat(bytes)}"`), headers: JSON_TYPE })
  expect(response.status).toBe(413)
  expect(await codeOf(response, '5 MiB')).toBe('payload_too_large')
})

test.each(rows(hasBody))('%s: without a body, or with an empty one, the missing member is named', async (_, listed) => {
  const { body } = listed.route
  const takesNothing = body !== undefined && z.safeParse(body, {}).success
  for (const what of [{}, { headers: JSON_TYPE }, { body: '', headers: JSON_TYPE }, { body: '{}', headers: JSON_TYPE }]) {
    const response = await sendEntitled(listed, { path: somewhere(listed), ...what })
    if (takesNothing) expect(response.status).toBeLessThan(500)
    else expect(await codeOf(response, JSON.stringify(what))).toBe(inItsWords(listed, 'invalid_request'))
  }
})

const FORM_TYPE = 'application/x-www-form-urlencoded'
const aForm = (name: string, code: ErrorCode, field: string, body: BodyInit, type = FORM_TYPE) => ({ name, code, field, body, type })
const HOSTILE_FORMS = [
  aForm('JSON', 'unsupported_media_type', 'header.content-type', '{}', 'application/json'),
  aForm('a form of several parts', 'unsupported_media_type', 'header.content-type', 'a=1', 'multipart/form-data; boundary=x'),
  aForm('a repeated name', 'invalid_request', 'form.a', 'a=1&a=2'),
  aForm('a null byte', 'invalid_request', 'form.a', 'a=%00'),
  aForm('a null byte in a name', 'invalid_request', 'form', 'a%00=1'),
  aForm('__proto__', 'invalid_request', 'form', '__proto__=1'),
  aForm('a half escape', 'invalid_request', 'form.a', 'a=%'),
  aForm('half a surrogate pair', 'invalid_request', 'form.a', 'a=%ED%A0%80'),
  aForm('bytes that are not UTF-8', 'invalid_request', 'body', new Uint8Array([0x61, 0x3d, 0xff, 0xfe])),
]

test.each(rows(({ form }) => form !== undefined))('%s: hostile forms are refused before anything is done', async (_, listed) => {
  const path = somewhere(listed)
  const handled = every.handled.length
  for (const { name, body, type, code, field } of HOSTILE_FORMS) {
    const response = await sendEntitled(listed, { path, body, headers: { 'content-type': type } })
    expect(await errorOf(response, name), name).toMatchObject(told(listed, response, code, field))
  }
  const large = await sendEntitled(listed, { path, body: `a=${'x'.repeat(5 * MIB)}`, headers: { 'content-type': FORM_TYPE } })
  expect(await codeOf(large, '5 MiB')).toBe('payload_too_large')
  expect(every.handled.length).toBe(handled)
})

test.each(rows(({ form }) => form !== undefined))('%s: every field of the form has a bound', async (_, listed) => {
  const handled = every.handled.length
  for (const member of namesIn(listed.route.form)) {
    const good = sampleOf(listed.route.form as Schema)
    const body = new URLSearchParams({
      ...(good as Readonly<Record<string, string>>),
      [member]: 'x'.repeat(Math.max(FAR_TOO_LONG, longestOf(listed.route.form, member) + 1)),
    }).toString()
    const response = await sendEntitled(listed, { path: somewhere(listed), body, headers: { 'content-type': FORM_TYPE } })
    expect(await errorOf(response, member), member).toMatchObject(told(listed, response, 'invalid_request', `form.${member}`))
  }
  expect(every.handled.length).toBe(handled)
})

const shapeOf = (schema: Schema | undefined): Readonly<Record<string, Schema>> =>
  (schema?._zod.def as { readonly shape?: Readonly<Record<string, Schema>> } | undefined)?.shape ?? {}
const namesIn = (schema: Schema | undefined): string[] => Object.keys(shapeOf(schema))
/** The longest allowed text, where it exceeds the usual one (a signed response of a provider). */
const longestOf = (schema: Schema | undefined, member: string): number => {
  const field = shapeOf(schema)[member]
  return field === undefined ? 0 : ((z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }) as { maxLength?: number }).maxLength ?? 0)
}
const membersOf = ({ body }: Route<never>): string[] => namesIn(body)

/** Values of every kind, which no bounded text member accepts, except the last two. */
const ODD = [null, {}, [], [[]], true, -1, 1.5, Number.MAX_VALUE, 'x'.repeat(100_000), '\u202e', "' or 1=1 --"]

test.each(rows((route) => membersOf(route).length > 0))('%s: one unusual member among valid ones is refused or handled', async (_, listed) => {
  const { body } = listed.route
  if (body === undefined) return
  const good = sampleOf(body)
  expect(z.safeParse(body, good).success, 'the sample is valid').toBe(true)
  for (const member of Object.keys(good)) {
    for (const value of ODD) {
      const about = `${member}: ${JSON.stringify(value).slice(0, 40)}`
      const handled = every.handled.length
      const response = await sendEntitled(listed, { path: somewhere(listed), body: JSON.stringify({ ...good, [member]: value }), headers: JSON_TYPE })
      if (response.status < 400) continue
      const { code, field } = await errorOf(response, about)
      if (every.handled.length === handled) expect(field, about).toMatch(new RegExp(`^body(\\.${member}|$)`))
      // A route may declare 501; any other status above 499 is a defect.
      if (response.status >= 500) expect(listed.route.errors, about).toContain(code)
    }
  }
})

test.each(rows((route) => membersOf(route).length > 0))('%s: every text has a bound', async (_, listed) => {
  const { body } = listed.route
  if (body === undefined) return
  const good = sampleOf(body)
  const handled = every.handled.length
  for (const member of Object.keys(good).filter((name) => typeof good[name] === 'string')) {
    const response = await sendEntitled(listed, {
      path: somewhere(listed),
      body: JSON.stringify({ ...good, [member]: 'x'.repeat(20_000) }),
      headers: JSON_TYPE,
    })
    expect(await errorOf(response, member), member).toMatchObject(told(listed, response, 'invalid_request', `body.${member}`))
  }
  expect(every.handled.length).toBe(handled)
})

test.each(rows(() => true))('%s: a repeated parameter and invalid text are refused', async (_, listed) => {
  const handled = every.handled.length
  for (const query of ['a=1&a=2', 'limit=1&limit=2', 'a=%00', 'a=1&b=x%00', `a=%00${SCRIPT}`, `a=%00${encodeURIComponent(SCRIPT)}`]) {
    const response = await sendEntitled(listed, { path: `${somewhere(listed)}?${query}` })
    expect(await codeOf(response, query), query).toBe('invalid_request')
  }
  expect(every.handled.length).toBe(handled)
})

test.each(rows(({ query }) => query !== undefined))('%s: no parameter accepts an invalid value', async (_, listed) => {
  for (const name of namesIn(listed.route.query)) {
    for (const value of [
      '%FF',
      '%ED%A0%80',
      '%',
      '1e999',
      '-1',
      'NaN',
      '__proto__',
      '%F0%9F%92%A9',
      'x'.repeat(20_000),
      '%27%20or%201=1',
      '2026-99-99T99:99:99Z',
      SCRIPT,
      encodeURIComponent(SCRIPT),
      encodeURIComponent(`"'>${SCRIPT}`),
    ]) {
      const response = await sendEntitled(listed, { path: `${somewhere(listed)}?${name}=${value}` })
      expect(response.status, `${name}=${value.slice(0, 40)}`).toBeLessThan(500)
      if (response.status >= 400) await codeOf(response, `${name}=${value.slice(0, 40)}`)
      else if (isHtml(response)) expect(await response.text(), `${name}=${value.slice(0, 40)}`).not.toContain(SCRIPT)
    }
  }
})

test.each(rows((route) => parametersOf(route).length > 0))('%s: an invalid identifier is refused or not found', async (_, listed) => {
  for (const value of [
    '%00',
    'x%00y',
    '%FF',
    '%ED%A0%80',
    '%',
    '..%2F..%2Fetc',
    '__proto__',
    '%27%20or%201=1',
    '1',
    'x'.repeat(3000),
    `${SOME_ID}%20`,
  ]) {
    const path = fillPath(listed.route, Object.fromEntries(parametersOf(listed.route).map((name) => [name, value])))
    const response = await sendEntitled(listed, { path })
    expect(response.status, value.slice(0, 40)).toBeLessThan(500)
    if (value.includes('%00')) expect(response.status, value).toBe(400)
    if (response.status >= 400) await codeOf(response, value.slice(0, 40))
  }
})
