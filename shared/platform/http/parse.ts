// Turns bytes into values that a schema accepts. Refuses problems that no schema should have to consider: sizes, encodings, repeated names.
import { zValidator } from '@hono/zod-validator'
import type * as z from 'zod'
import { AppError } from '#shared/kernel/errors'
import type { HttpContext, Middleware, RequestStage } from './env.ts'
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

/** Reads the body once, within the size limit, and passes the vetted value to the validator. */
const readJson = (route: Route<never>): RequestStage => {
  const optional = optionalMembers(route.body)
  const lenient = route.emptyIsAbsent === true || isAuthsecPath(pathOf(route))
  return async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    if (text !== '') requireType(c, JSON_TYPE)
    const value = lenient ? withoutEmpty(parseJson(text), optional) : parseJson(text)
    c.set('sentBody', value)
    // The validator reads the body through this function; without a body it uses an empty object.
    c.req.json = async () => value as never
  }
}

/** As `readJson`, for `application/x-www-form-urlencoded`. RFC 6749 section 3.2 forbids repeated parameters. */
const readForm =
  (route: Route<never>): RequestStage =>
  async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    if (text !== '') requireType(c, FORM_TYPE, 'application/x-www-form-urlencoded')
    const pairs = parseFormPairs(text, 'form')
    c.set('sentBody', Object.fromEntries(pairs))
  }

/** Reads a CSV body as text, for the schema. */
const readCsv =
  (route: Route<never>): RequestStage =>
  async (c) => {
    requirePlain(c)
    const text = await readBodyText(c.req.raw, boundOf(route))
    if (text !== '') requireType(c, CSV_TYPE, 'text/csv')
    requireValidText(text, 'body')
    c.set('sentBody', text)
  }

/** Repeated query parameters are refused: RFC 6749 section 3.1 forbids them, and no other route uses them. */
const readAddress: RequestStage = (c) => {
  const { pathname, search } = new URL(c.req.raw.url)
  requireValidPercentText(pathname, 'path')
  const pairs = parseFormPairs(search.slice(1), 'query')
  c.set('sentQuery', Object.fromEntries(pairs))
  // The validator reads the query through this function.
  c.req.queries = (() => Object.fromEntries([...pairs].map(([name, value]) => [name, [value]]))) as never
}

/** The stages that read and vet the request before validation. */
export const readStages = (route: Route<never>): RequestStage[] => [
  readAddress,
  route.body ? (route.bodyType === 'text/csv' ? readCsv(route) : readJson(route)) : route.form ? readForm(route) : refuseLarge(route),
]

type Target = 'json' | 'query' | 'param' | 'form'
const PART: Readonly<Record<Target, string>> = { json: 'body', query: 'query', param: 'path', form: 'form' }

/** The failing field as a path; for an unknown member, that member. */
const fieldOf = (target: Target, issue: z.core.$ZodIssue | undefined): string => {
  const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  return [PART[target], ...(issue?.path ?? []), ...extra].map((name) => String(name).slice(0, 64)).join('.')
}

const malformed = (target: Target, error: z.core.$ZodError): AppError => {
  const [issue] = error.issues
  const field = fieldOf(target, issue)
  return new AppError('invalid_request', `${field}: ${(issue?.message ?? 'malformed').slice(0, MAX_MESSAGE)}`, { field })
}

const proceed = async (): Promise<void> => undefined

const validate = (target: Target, schema: Schema): RequestStage => {
  const step = zValidator(target, schema as z.ZodType, (result) => {
    if (!result.success) throw malformed(target, result.error as unknown as z.core.$ZodError)
  }) as unknown as Middleware
  return async (c) => void (await step(c, proceed))
}

/** The validator reads forms from the request's body cache. */
const validateForm = (schema: Schema): RequestStage => {
  const validated = validate('form', schema)
  return (c) => {
    const form = new FormData()
    for (const [name, value] of Object.entries(c.get('sentBody') as Readonly<Record<string, string>>)) form.append(name, value)
    c.req.bodyCache.formData = Promise.resolve(form) as never
    return validated(c)
  }
}

/** Hono's validator supports only JSON and forms. */
const validateText =
  (schema: Schema): RequestStage =>
  (c) => {
    const result = (schema as z.ZodType).safeParse(c.get('sentBody'))
    if (!result.success) throw malformed('json', result.error)
    c.req.addValidatedData('json', result.data as object)
  }

/** Uses the route's hand-written parser, and the schema when that returns undefined. */
const quickOr = (route: Route<never>, target: 'json' | 'form', validateBySchema: RequestStage): RequestStage => {
  const { quick } = route
  if (quick === undefined) return validateBySchema
  return (c) => {
    const found = quick(c.get('sentBody'))
    if (found === undefined) return validateBySchema(c)
    c.req.addValidatedData(target, found)
  }
}

/** The stages that validate each declared part by its schema. */
export const validationStages = (route: Route<never>): RequestStage[] => [
  ...(route.path ? [validate('param', route.path)] : []),
  ...(route.query ? [validate('query', route.query)] : []),
  ...(route.body ? [quickOr(route, 'json', route.bodyType === 'text/csv' ? validateText(route.body) : validate('json', route.body))] : []),
  ...(route.form ? [quickOr(route, 'form', validateForm(route.form))] : []),
]

const valid = (c: HttpContext, target: Target): unknown => (c.req as unknown as { valid(target: Target): unknown }).valid(target)

export type ParsedRequest = { readonly path: unknown; readonly query: unknown; readonly body: unknown; readonly form: unknown }
/** The validated parts of the request. */
export const parsedParts = (c: HttpContext, route: Route<never>): ParsedRequest => ({
  path: route.path ? valid(c, 'param') : undefined,
  query: route.query ? valid(c, 'query') : undefined,
  body: route.body ? valid(c, 'json') : undefined,
  form: route.form ? valid(c, 'form') : undefined,
})
