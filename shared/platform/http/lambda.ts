// Runs a Hono app as a Lambda handler for API Gateway v1 and v2, function URLs and load balancers.
import type { Hono } from 'hono'
import { type APIGatewayProxyResult, handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda'
import { AppError } from '#shared/kernel/errors'
import type { Log } from '#shared/kernel/log'
import { authsecError, problem } from './problem.ts'
import type { Peer } from './request.ts'
import { isAuthsecPath } from './route.ts'

type Members = Readonly<Record<string, unknown>>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null
const member = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

const isBalancers = (event: unknown): boolean => isObject(member(member(event, 'requestContext'), 'elb'))

/** Checks the members that the adapter reads: queue events have none of them, websocket and authorizer events not all. */
const isHttp = (event: unknown): event is LambdaEvent => {
  const context = member(event, 'requestContext')
  if (!isObject(event) || !isObject(context)) return false
  const isV2 = text(event.rawPath) !== '' && text(member(context.http, 'method')) !== ''
  return isV2 || (text(event.path) !== '' && text(event.httpMethod) !== '')
}

/** The value that the load balancer wrote: it appends the caller's address to the header's existing text, and overwrites the protocol. */
const lastOf = (event: unknown, name: string): string => {
  const many = member(member(event, 'multiValueHeaders'), name)
  const header = Array.isArray(many) ? text(many.at(-1)) : text(member(member(event, 'headers'), name))
  return header.slice(header.lastIndexOf(',') + 1).trim()
}

/**
 * The caller's address as the gateway saw it: `requestContext.http.sourceIp` (payload 2.0 and function URLs), `requestContext.identity.sourceIp`
 * (1.0), or the entry that a load balancer appended to the forwarded header (its attribute `xff_header_processing.mode` must be `append`, the
 * default). TRUSTED_PROXIES decides whether entries left of it count. A gateway ends TLS, so its requests arrived over TLS.
 */
export const peerOfEvent = (event: unknown): Peer => {
  if (isBalancers(event)) return { address: lastOf(event, 'x-forwarded-for'), secure: lastOf(event, 'x-forwarded-proto') === 'https' }
  const context = member(event, 'requestContext')
  const address = text(member(member(context, 'http'), 'sourceIp')) || text(member(member(context, 'identity'), 'sourceIp'))
  return { address, secure: address !== '' }
}

/** A repeated header is a list (RFC 9110 section 5.3), except cookies; the adapter would join all of them as it joins cookies. */
const withLists = (event: LambdaEvent): LambdaEvent => {
  const many = member(event, 'multiValueHeaders')
  if (!isBalancers(event) || !isObject(many)) return event
  const joined = Object.entries(many).map(([name, values]) => [
    name,
    Array.isArray(values) && name.toLowerCase() !== 'cookie' ? [values.join(', ')] : values,
  ])
  return { ...event, multiValueHeaders: Object.fromEntries(joined) } as LambdaEvent
}

/** Function URLs and load balancers pass the path unchanged; an HTTP API decodes it. */
const isDecoded = (event: unknown): boolean => {
  const host = text(member(member(event, 'requestContext'), 'domainName'))
  return member(event, 'version') === '2.0' && !/\.lambda-url\.[\w-]+\.on\.aws$/.test(host)
}

const percent = (part: string): string =>
  [...Buffer.from(part, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
/**
 * Characters that no encoded path contains (RFC 3986 section 3.3) and that were therefore decoded on the way; also a percent sign that starts no
 * escape.
 */
const DECODED = /%(?![0-9A-Fa-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gu
const DECODED_WHOLLY = /[^\w\-.~!$&'()*+,;=:@/]/gu

/** Restores the path as the caller sent it: a decoded `?` or `#` would end it, and a decoded percent sign would be decoded twice. */
const withPath = (event: LambdaEvent): LambdaEvent => {
  const name = text(member(event, 'rawPath')) === '' ? 'path' : 'rawPath'
  const path = text(member(event, name))
  const encoded = path.replace(isDecoded(event) ? DECODED_WHOLLY : DECODED, percent)
  return encoded === path ? event : { ...event, [name]: encoded }
}

const withLetterCase = (name: string, at: number): string =>
  [...name].map((letter, place) => ((at >> place) & 1 ? letter.toUpperCase() : letter)).join('')

/**
 * A load balancer without multi-value headers accepts one value per name. Names that differ only in case stay separate, so each cookie gets its own
 * spelling of `set-cookie`.
 */
const withCookies = (event: LambdaEvent, result: APIGatewayProxyResult, cookies: readonly string[]): APIGatewayProxyResult => {
  if (cookies.length < 2 || !isBalancers(event) || isObject(member(event, 'multiValueHeaders'))) return result
  const named = cookies.map((cookie, at) => [withLetterCase('set-cookie', at), cookie])
  return { ...result, headers: { ...result.headers, ...Object.fromEntries(named) } } as APIGatewayProxyResult
}

/**
 * Lambda's limit for a serialised response; a longer one is lost and the gateway answers 502
 * (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
const MOST_BYTES = 6 * 1024 * 1024
/** A body of this length fits even if every character is escaped. */
const SURELY_FITS = MOST_BYTES / 6 - 64 * 1024
const fits = (result: APIGatewayProxyResult): boolean => result.body.length < SURELY_FITS || Buffer.byteLength(JSON.stringify(result)) <= MOST_BYTES

/** Replaces a response that is too long. Headers that describe its body are removed. */
const tooLarge = async (path: string, answered: Headers): Promise<Response> => {
  const error = new AppError('answer_too_large')
  const render = isAuthsecPath(path) ? authsecError : problem
  const { body, type } = await render(error, answered.get('x-request-id') ?? '', new Date(0))
  const headers = new Headers(answered)
  for (const name of ['content-length', 'content-disposition', 'etag', 'set-cookie']) headers.delete(name)
  headers.set('content-type', type)
  headers.set('cache-control', 'no-store')
  return new Response(JSON.stringify(body), { status: error.status, headers })
}

type Fetch = Pick<Hono, 'fetch'>
type Bindings = { readonly event?: LambdaEvent }
const handled = (fetch: (request: Request, env: Bindings) => Promise<Response>) => handle({ fetch } as unknown as Fetch as Hono)

/** `settle` finishes work that must not wait for the next request: a function is frozen between two requests. */
type Around = { readonly settle: () => Promise<void>; readonly log: Pick<Log, 'warn'> }

/** Builds the Lambda handler. An event that is not an HTTP request throws, and the platform logs it. */
export const lambda = (app: { fetch(request: Request, env: { peer: Peer }): Response | Promise<Response> }, { settle, log }: Around) => {
  return async (event: LambdaEvent, context: LambdaContext): Promise<APIGatewayProxyResult> => {
    if (!isHttp(event)) throw new Error('This function only accepts HTTP events.')
    const normalised = withPath(withLists(event))
    let [path, headers, cookies] = ['', new Headers(), [] as readonly string[]]
    const result = await handled(async (request, env) => {
      const response = await app.fetch(request, { peer: peerOfEvent(env.event) })
      path = new URL(request.url).pathname
      headers = response.headers
      cookies = headers.getSetCookie()
      return response
    })(normalised, context)
    await settle()
    if (fits(result)) return withCookies(event, result, cookies)
    // The request's own log line was written before the size was known.
    log.warn('request.answer_too_large', { request_id: headers.get('x-request-id') ?? '' })
    return handled(() => tooLarge(path, headers))(normalised, context)
  }
}
