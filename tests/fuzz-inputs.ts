// Malformed input for paths, queries, headers and bodies, malicious or accidental.
import fc from 'fast-check'
import { FORM_TOKEN } from '#shared/platform/http/pages/form'
import type { Route, Schema } from '#shared/platform/http/route'
import { parametersOf } from './routes/every-route.ts'
import { sampleOf } from './routes/sample.ts'

const membersOf = (schema: Schema | undefined): readonly string[] =>
  Object.keys((schema?._zod.def as { readonly shape?: Readonly<Record<string, unknown>> } | undefined)?.shape ?? {})

const UNKNOWN_ID = '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'

/** Text that often causes errors: nulls, lone surrogates, other planes, direction marks, SQL, paths, templates, and reserved words. */
const HURTFUL = [
  '\0',
  'a\0b',
  '\ud800',
  '\udfff\ud800',
  '\u{10ffff}',
  '\u202e',
  '\ufeff',
  'İ',
  'ﬁ',
  'e\u0301',
  "' or 1=1 --",
  '"; drop table users; --',
  '../../etc/passwd',
  '{{7*7}}',
  '%s%n',
  '<script>alert(1)</script>',
  'null',
  'undefined',
  'NaN',
  'true',
  '[object Object]',
  UNKNOWN_ID,
  '00000000-0000-0000-0000-000000000000',
  `0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee.${'A'.repeat(43)}`,
  'a@b',
  'a@b.c',
  `${'a'.repeat(65)}@sample.example`,
  `sample@${'a.'.repeat(120)}example`,
  'sample@xn--a.example',
  'x'.repeat(300),
  'x'.repeat(70_000),
]
/** Invalid times, and times that a calendar or a database does not have. */
const MOMENTS = ['0000-00-00T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '2026-02-30T00:00:00Z', '-271821-04-20T00:00:00Z']
const text = fc.oneof(
  fc.constantFrom(...HURTFUL),
  fc.constantFrom(...MOMENTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(null, true, -0, -1, 0.1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, [], {}, [[]], [null], { $ne: null }, { toString: 1, constructor: 1 }),
)

/** Raw texts that are almost JSON; `SAMPLE` is replaced by a valid one. */
const NEARLY = [
  '',
  ' ',
  '{',
  '[',
  '"',
  '{"a":1}}',
  "{'a':1}",
  '{"a":1e999}',
  '{"a":0x1}',
  '{"__proto__":{"a":1}}',
  '{"a":1,"a":2}',
  '\ufeff{}',
  '[]',
  '0',
  'null',
  '{"a":"\\ud800"}',
]

type Body = string | Uint8Array<ArrayBuffer> | undefined
const bodyFor = (schema: Schema | undefined): fc.Arbitrary<Body> => {
  const good = schema === undefined ? {} : sampleOf(schema)
  const names = fc.oneof(fc.constantFrom(...(Object.keys(good).length > 0 ? Object.keys(good) : ['a'])), text)
  const written = JSON.stringify(good)
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(names, value).map(([name, odd]) => JSON.stringify({ ...good, [name]: odd })) },
    { weight: 2, arbitrary: names.map((name) => JSON.stringify(Object.fromEntries(Object.entries(good).filter(([each]) => each !== name)))) },
    { weight: 2, arbitrary: fc.dictionary(names, value, { maxKeys: 6 }).map((odd) => JSON.stringify(odd)) },
    { weight: 2, arbitrary: fc.nat({ max: written.length }).map((at) => written.slice(0, at)) },
    { weight: 1, arbitrary: fc.tuple(names, value).map(([name, odd]) => `{${JSON.stringify(name)}:${JSON.stringify(odd)},${written.slice(1)}`) },
    { weight: 1, arbitrary: value.map((odd) => JSON.stringify(odd)) },
    { weight: 2, arbitrary: fc.constantFrom(...NEARLY) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3000 }).map((depth) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
}

/** Path segments and query strings: encoded, partly encoded, or not encoded. */
const encoded = fc.oneof(
  text.map((raw) => encodeURIComponent(raw.toWellFormed()).slice(0, 4000)),
  fc.constantFrom('%00', '%', '%ff', '%ed%a0%80', '%c0%ae', '%2e%2e%2f', '%2500', '__proto__', '1', '-1', '1e999', '%20', '%0d%0aX: y'),
)
/** Placeholder in a form for the form token of the page, which the sender knows. */
export const TOKEN_OF_THE_PAGE = 'TOKEN-OF-THE-PAGE'

const pairsOf = (fields: Readonly<Record<string, unknown>>): string =>
  Object.entries(fields)
    .map((pair) => pair.map((part) => encodeURIComponent(String(part).toWellFormed())).join('='))
    .join('&')

const withToken = (schema: Schema): Readonly<Record<string, unknown>> => ({ ...sampleOf(schema), [FORM_TOKEN]: TOKEN_OF_THE_PAGE })
const goodForm = (schema: Schema): string => pairsOf(withToken(schema))

/** Forms that our own page could have sent, except for one unusual value. */
const formFor = (schema: Schema): fc.Arbitrary<Body> => {
  const good = withToken(schema)
  const names = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...Object.keys(good).filter((name) => name !== FORM_TOKEN), 'a') },
    { weight: 1, arbitrary: text },
  )
  const written = goodForm(schema)
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(names, text).map(([name, odd]) => pairsOf({ ...good, [name]: odd })) },
    { weight: 2, arbitrary: fc.constant(written) },
    { weight: 2, arbitrary: names.map((name) => pairsOf(Object.fromEntries(Object.entries(good).filter(([each]) => each !== name)))) },
    { weight: 2, arbitrary: fc.tuple(names, encoded).map(([name, odd]) => `${written}&${encodeURIComponent(name.toWellFormed())}=${odd}`) },
    { weight: 1, arbitrary: fc.nat({ max: written.length }).map((at) => written.slice(0, at)) },
    { weight: 1, arbitrary: fc.dictionary(names, text, { maxKeys: 6 }).map(pairsOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, '', '&', '=', '%', `${FORM_TOKEN}=${TOKEN_OF_THE_PAGE}`, JSON.stringify(good)) },
  )
}

const queryFor = (schema: Schema | undefined): fc.Arbitrary<string> => {
  const known = membersOf(schema)
  const odd = known.length === 0 ? encoded : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: encoded })
  const pair = fc.tuple(odd, fc.constantFrom('=', '=', '=', '', '[]=', '==', '&'), encoded).map((parts) => parts.join(''))
  const several = fc.array(pair, { maxLength: 4 }).map((pairs) => `?${pairs.join('&')}`)
  // One unusual value per form: with several, the first refusal would hide the others.
  const one = fc.tuple(fc.constantFrom(...(known.length === 0 ? ['a'] : known)), encoded).map(([name, given]) => `?${name}=${given}`)
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: several },
    { weight: known.length === 0 ? 1 : 3, arbitrary: one },
  )
}

/** Header values that can reach us: HTTP itself refuses line ends and nulls. */
const headerValue = text.map((raw) =>
  Buffer.from(raw.slice(0, 2000))
    .toString('latin1')
    .replaceAll(/[\0\r\n]/g, ' '),
)
const NAMES = [
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'origin',
  'cookie',
  'x-login-ticket',
  'tenant_id',
  'if-none-match',
  'user-agent',
  'traceparent',
  'x-client-id',
  'host',
]
const headers = fc.dictionary(fc.constantFrom(...NAMES), headerValue, { maxKeys: 4 })
const FORM_TYPE = 'application/x-www-form-urlencoded'
const TYPES = [
  'application/json',
  'application/json',
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  FORM_TYPE,
  'multipart/form-data',
  'application/json; charset=latin1',
  '\u00ff',
  '',
]
/** The credentials: none, an invalid token, or a token with permission. */
const credential = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: headerValue },
  { weight: 4, arbitrary: fc.constant('entitled' as const) },
)

export const inputFor = (route: Route<never>) =>
  fc.record({
    path: fc.tuple(...parametersOf(route).map(() => encoded)),
    query: queryFor(route.query),
    body: route.form === undefined ? bodyFor(route.body) : formFor(route.form),
    type: fc.oneof(
      { weight: route.form === undefined ? 0 : 6, arbitrary: fc.constant(FORM_TYPE) },
      { weight: 1, arbitrary: fc.constantFrom(...TYPES) },
    ),
    headers,
    credential,
  })
export type Input = ReturnType<typeof inputFor> extends fc.Arbitrary<infer T> ? T : never

/** Inputs that random choice may miss, with permission: a form as our page sends it, and each time value in each parameter. */
export const examplesFor = (route: Route<never>): [Input][] => {
  const from = { query: '', type: '', headers: {}, credential: 'entitled' } as const
  const sent =
    route.form === undefined ? [] : [{ ...from, path: parametersOf(route).map(() => UNKNOWN_ID), body: goodForm(route.form), type: FORM_TYPE }]
  const parameters = parametersOf(route).length > 0 ? [] : membersOf(route.query)
  const moments = parameters.flatMap((name) =>
    MOMENTS.map((moment) => ({ ...from, path: [], query: `?${name}=${encodeURIComponent(moment)}`, body: undefined })),
  )
  return [...sent, ...moments].map((input): [Input] => [input])
}
