// A Hono app as a Lambda handler: API Gateway v1 and v2, function URLs, load balancers.
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

/** By the members that the adapter reads: a queue's event has none of them, a socket's or an authorizer's not all. */
const isHttp = (event: unknown): event is LambdaEvent => {
  const context = member(event, 'requestContext')
  if (!isObject(event) || !isObject(context)) return false
  const isV2 = text(event.rawPath) !== '' && text(member(context.http, 'method')) !== ''
  return isV2 || (text(event.path) !== '' && text(event.httpMethod) !== '')
}

/** What the balancer itself wrote: it appends the address of its caller to whatever stands in the header, and overwrites the protocol. */
const lastOf = (event: unknown, name: string): string => {
  const many = member(member(event, 'multiValueHeaders'), name)
  const header = Array.isArray(many) ? text(many.at(-1)) : text(member(member(event, 'headers'), name))
  return header.slice(header.lastIndexOf(',') + 1).trim()
}

/**
 * The caller's address as the gateway saw it: `requestContext.http.sourceIp` (payload 2.0 and function URLs), `requestContext.identity.sourceIp` (1.0); of a
 * load balancer the entry that it appended to the forwarded header (its attribute `xff_header_processing.mode` must be `append`, as it is unless changed).
 * TRUSTED_PROXIES decides whether anything left of it counts. A gateway ends TLS, so what it hands on was sent over it.
 */
export const peerOfEvent = (event: unknown): Peer => {
  if (isBalancers(event)) return { address: lastOf(event, 'x-forwarded-for'), secure: lastOf(event, 'x-forwarded-proto') === 'https' }
  const context = member(event, 'requestContext')
  const address = text(member(member(context, 'http'), 'sourceIp')) || text(member(member(context, 'identity'), 'sourceIp'))
  return { address, secure: address !== '' }
}

/** A header that was sent more than once is a list (RFC 9110 section 5.3), cookies apart; the adapter would join all of them as cookies are. */
const withLists = (event: LambdaEvent): LambdaEvent => {
  const many = member(event, 'multiValueHeaders')
  if (!isBalancers(event) || !isObject(many)) return event
  const joined = Object.entries(many).map(([name, values]) => [
    name,
    Array.isArray(values) && name.toLowerCase() !== 'cookie' ? [values.join(', ')] : values,
  ])
  return { ...event, multiValueHeaders: Object.fromEntries(joined) } as LambdaEvent
}

/** A function's own address hands on the path as it was sent, like a balancer. An HTTP API decodes it, and names its host. */
const isDecoded = (event: unknown): boolean => {
  const host = text(member(member(event, 'requestContext'), 'domainName'))
  return member(event, 'version') === '2.0' && !/\.lambda-url\.[\w-]+\.on\.aws$/.test(host)
}

const percent = (part: string): string =>
  [...Buffer.from(part, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
/** What stands in no path as it is sent (RFC 3986 section 3.3), so was decoded on the way; and a percent sign that begins nothing. */
const DECODED = /%(?![0-9A-Fa-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gu
const DECODED_WHOLLY = /[^\w\-.~!$&'()*+,;=:@/]/gu

/** The path as the caller sent it: a decoded `?` or `#` would end it, and a decoded percent sign would be read once more. */
const withPath = (event: LambdaEvent): LambdaEvent => {
  const name = text(member(event, 'rawPath')) === '' ? 'path' : 'rawPath'
  const path = text(member(event, name))
  const encoded = path.replace(isDecoded(event) ? DECODED_WHOLLY : DECODED, percent)
  return encoded === path ? event : { ...event, [name]: encoded }
}

const spelled = (name: string, at: number): string => [...name].map((letter, place) => ((at >> place) & 1 ? letter.toUpperCase() : letter)).join('')

/** A balancer without multi-value headers takes one header a name; names differ by case alone, and browsers see as many cookies as there are. */
const withCookies = (event: LambdaEvent, result: APIGatewayProxyResult, cookies: readonly string[]): APIGatewayProxyResult => {
  if (cookies.length < 2 || !isBalancers(event) || isObject(member(event, 'multiValueHeaders'))) return result
  const named = cookies.map((cookie, at) => [spelled('set-cookie', at), cookie])
  return { ...result, headers: { ...result.headers, ...Object.fromEntries(named) } } as APIGatewayProxyResult
}

/** Of an answer as a function hands it over; a longer one is lost, and the gateway says 502 (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const MOST_BYTES = 6 * 1024 * 1024
/** So many characters fit however they are escaped. */
const SURELY_FITS = MOST_BYTES / 6 - 64 * 1024
const fits = (result: APIGatewayProxyResult): boolean => result.body.length < SURELY_FITS || Buffer.byteLength(JSON.stringify(result)) <= MOST_BYTES

/** In place of an answer that is too long: whatever it said of its body counts no more. */
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

/** `settle` hands over what must not wait for the next request: between two of them a function is frozen. */
type Around = { readonly settle: () => Promise<void>; readonly log: Pick<Log, 'warn'> }

/** An event that is not an HTTP request is refused; the platform logs that. */
export const lambda = (app: { fetch(request: Request, env: { peer: Peer }): Response | Promise<Response> }, { settle, log }: Around) => {
  return async (event: LambdaEvent, context: LambdaContext): Promise<APIGatewayProxyResult> => {
    if (!isHttp(event)) throw new Error('This function answers HTTP events alone.')
    const asked = withPath(withLists(event))
    let [path, headers, cookies] = ['', new Headers(), [] as readonly string[]]
    const result = await handled(async (request, env) => {
      const response = await app.fetch(request, { peer: peerOfEvent(env.event) })
      path = new URL(request.url).pathname
      headers = response.headers
      cookies = headers.getSetCookie()
      return response
    })(asked, context)
    await settle()
    if (fits(result)) return withCookies(event, result, cookies)
    // The line of the request says how it ended before it was known to be too long.
    log.warn('request.answer_too_large', { request_id: headers.get('x-request-id') ?? '' })
    return handled(() => tooLarge(path, headers))(asked, context)
  }
}
