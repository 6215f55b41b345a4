// Turns bytes into values that a schema accepts. Refuses problems that no schema should have to consider: sizes, encodings, repeated names.
import type * as z from 'zod'
import { AppError } from '#shared/kernel/errors'
import type { HttpContext, RequestStage } from './env.ts'
import { isAuthsecPath, pathOf, type Route, type Schema } from './route.ts'
import { parseFormPairs, parseJson, readBodyText, requireValidPercentText, requireValidText } from './text-validation.ts'

const DEFAULT_BODY_BYTES = 1024 * 1024
const MAX_MESSAGE = 200

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/i
const CSV_TYPE = /^text\/csv$/i
const FORM_TYPE = /^application\/x-www-form-urlencoded$/i
/** The only content type parameter that is accepted, with its only value. */
const UTF_8 = /^charset="?utf-8"?$/i

/** Optional members: an empty text or null in one means absent, as AuthSec's clients send it. */
const optionalMembers = (schema: Schema | undefined): ReadonlySet<string> => {
  const shape = (schema?._zod.def as { shape?: Readonly<Record<string, Schema>> } | undefined)?.shape ?? {}
  return new Set(Object.entries(shape).flatMap(([name, member]) => (member._zod.optin === 'optional' ? [name] : [])))
}

const withoutEmpty = (value: unknown, optional: ReadonlySet<string>): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || optional.size === 0) return value
  return Object.fromEntries(Object.entries(value).filter(([name, member]) => !(optional.has(name) && (member === '' || member === null))))
}

/** Without a `name`, the error's title already describes JSON. */
const requireType = (c: HttpContext, wanted: RegExp, name?: string): void => {
  const [type = '', ...parameters] = (c.req.header('content-type') ?? '').split(';').map((part) => part.trim())
  if (wanted.test(type) && parameters.every((parameter) => UTF_8.test(parameter))) return
  throw new AppError('unsupported_media_type', name === undefined ? undefined : `The body must be sent as ${name}.`, { field: 'header.content-type' })
}

/** Compressed bodies are refused: a few bytes can expand without bound. */
const requirePlain = (c: HttpContext): void => {
  const encoding = c.req.header('content-encoding')
  if (encoding === undefined || /^identity$/i.test(encoding)) return
  throw new AppError('unsupported_media_type', 'The body must not be compressed.', { field: 'header.content-encoding' })
}

const boundOf = (route: Route<never>): number => route.maxBodyBytes ?? DEFAULT_BODY_BYTES

/** A route without a declared body reads none; an announced length beyond the limit is still refused. */
const refuseLarge =
  (route: Route<never>): RequestStage =>
  (c) => {
    if (Number(c.req.header('content-length') ?? '0') > boundOf(route)) throw new AppError('payload_too_large')
  }

/** Reads the body once, within the size limit. Without a body the value is an empty object. */
const readJson = (route: Route<never>): RequestStage => {
  const optional = optionalMembers(route.body)
  const lenient = route.emptyIsAbsent === true || isAuthsecPath(pathOf(route))
  return async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    c.set('bodyText', text)
    if (text !== '') requireType(c, JSON_TYPE)
    c.set('sentBody', lenient ? withoutEmpty(parseJson(text), optional) : parseJson(text))
  }
}

/** As `readJson`, for `application/x-www-form-urlencoded`. RFC 6749 section 3.2 forbids repeated parameters. */
const readForm =
  (route: Route<never>): RequestStage =>
  async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    c.set('bodyText', text)
    if (text !== '') requireType(c, FORM_TYPE, 'application/x-www-form-urlencoded')
    const pairs = parseFormPairs(text, 'form', route.repeatable)
    c.set('sentBody', Object.fromEntries(pairs))
  }

const isForm = (c: HttpContext): boolean => FORM_TYPE.test((c.req.header('content-type') ?? '').split(';')[0]?.trim() ?? '')
const readJsonOrForm = (route: Route<never>): RequestStage => {
  const [json, form] = [readJson(route), readForm(route)]
  return (c) => (isForm(c) ? form(c) : json(c))
}

/** Reads a CSV body as text, for the schema. */
const readCsv =
  (route: Route<never>): RequestStage =>
  async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    c.set('bodyText', text)
    if (text !== '') requireType(c, CSV_TYPE, 'text/csv')
    requireValidText(text, 'body')
    c.set('sentBody', text)
  }

/** Repeated query parameters are refused, except those that the route declares: RFC 6749 section 3.1 forbids them, and no other route uses them. */
const readAddress =
  (route: Route<never>): RequestStage =>
  (c) => {
    const { pathname, search } = new URL(c.req.raw.url)
    requireValidPercentText(pathname, 'path')
    c.set('sentQuery', Object.fromEntries(parseFormPairs(search.slice(1), 'query', route.repeatable)))
  }

const readBody = (route: Route<never>): RequestStage => {
  if (route.body === undefined) return route.form ? readForm(route) : refuseLarge(route)
  if (route.orForm) return readJsonOrForm(route)
  return route.bodyType === 'text/csv' ? readCsv(route) : readJson(route)
}

/** The stages that read and vet the request before validation. */
export const readStages = (route: Route<never>): RequestStage[] => [readAddress(route), readBody(route)]

type Part = 'path' | 'query' | 'body' | 'form'

/** The failing field as a path; for an unknown member, that member. */
const fieldOf = (part: Part, issue: z.core.$ZodIssue | undefined): string => {
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  return [part, ...(issue?.path ?? []), ...extra].map((name) => String(name).slice(0, 64)).join('.')
}

const validate = (part: Part, schema: Schema | undefined, value: unknown): unknown => {
  if (schema === undefined) return undefined
  const { success, data, error } = (schema as z.ZodType).safeParse(value)
  if (success) return data
  const [issue] = error.issues
  const field = fieldOf(part, issue)
  const names = part === 'form' ? new Set(error.issues.flatMap(({ path }) => (path[0] === undefined ? [] : [String(path[0])]))) : new Set<string>()
  const fields = Object.fromEntries([...names].map((name) => [name, 'invalid_request' as const]))
  throw new AppError('invalid_request', `${field}: ${(issue?.message ?? 'malformed').slice(0, MAX_MESSAGE)}`, {
    field,
    ...(names.size > 1 ? { fields } : {}),
  })
}

export type ParsedRequest = { readonly path: unknown; readonly query: unknown; readonly body: unknown; readonly form: unknown }
/** Validates each declared part by its schema. @throws AppError invalid_request, naming the first field that fails, and every field of a form */
export const parseParts = (c: HttpContext, route: Route<never>): ParsedRequest => ({
  path: validate('path', route.path, c.req.param()),
  query: validate('query', route.query, c.get('sentQuery')),
  body: validate('body', route.body, c.get('sentBody')),
  form: validate('form', route.form, c.get('sentBody')),
})
