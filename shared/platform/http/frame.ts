// What surrounds every request, known path or not: its id, the bounds of time and headers, CORS, security headers, one log line, one count.

import { AppError } from '#shared/kernel/errors'
import { clientAddress, forwardedPlace, forwardedProto, isForwardingIgnored } from '#shared/kernel/ip-address'
import type { PlatformCtx } from '#shared/platform/context'
import { emfLine } from '#shared/platform/metrics/emf'
import { type Caller, principalIdOf } from '#shared/platform/principals/principal'
import { respond } from './answer.ts'
import { corsHeaders, createOrigins, isForAnyPage, preflightHeaders } from './cors.ts'
import type { Exchange, Step } from './env.ts'
import type { Fail } from './fail.ts'
import type { Refusals } from './refusals.ts'
import { type Forwarded, type Peer, requestIdOf } from './request.ts'
import { pathOf } from './route.ts'

const MAX_HEADER_BYTES = 32 * 1024
const EMF_NAMESPACE = 'authsec-serverless'

/** Methods that have a name in metrics and log lines; a caller can make up others without end. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const methodOf = (c: Exchange): string => (METHODS.has(c.req.method) ? c.req.method : 'other')

/** A production whose public base is https is reached over TLS alone, also where the hop that ends TLS is not one that we trust to say so. */
const isAlwaysSecure = ({ ENVIRONMENT, BASE_URL }: PlatformCtx['config']): boolean => ENVIRONMENT === 'production' && BASE_URL.startsWith('https:')

const peerOf = (c: Exchange): Peer => c.env?.peer ?? { address: '', secure: false }

/** Who is at the other end, by the trusted hop. */
export const forwardedOf = (c: Exchange, config: PlatformCtx['config']): Forwarded => {
  const peer = peerOf(c)
  const trusted = config.TRUSTED_PROXIES
  const told = forwardedProto(peer.address, c.req.header('x-forwarded-proto'), trusted)
  return {
    address: clientAddress(peer.address, c.req.header('x-forwarded-for'), trusted),
    secure: peer.secure || told === 'https' || isAlwaysSecure(config),
    place: forwardedPlace(
      peer.address,
      config.PLACE_HEADERS.map((name) => c.req.header(name)),
      trusted,
    ),
  }
}

/** Of the headers as they were sent, where the server has them: making an object of them costs more than all that is read of it. */
const headerBytes = (c: Exchange): number => {
  const parts = c.env?.peer?.rawHeaders ?? [...c.req.raw.headers].flat()
  // Two more for each name and each value: `: ` and the end of the line.
  return parts.reduce((size, part) => size + part.length + 2, 0)
}

const withinTime = (work: Promise<void>, seconds: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new AppError('timeout')), seconds * 1000)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })

const noteOf = (caller: Caller): Readonly<Record<string, string>> => ({
  tenant_id: caller.tenantId,
  principal: principalIdOf(caller),
  ...(caller.kind === 'user' ? { session_id: caller.sessionId } : { client_id: caller.clientId }),
})

/** One line and one count a request. Ids, codes and the route's name: nothing that the caller wrote. */
const account = (ctx: PlatformCtx, c: Exchange, startedAt: number): void => {
  const route = c.get('route')
  const principal = c.get('principal')
  const endpoint = route === undefined ? 'unknown' : pathOf(route)
  const durationMs = ctx.clock.elapsed() - startedAt
  const [method, requestId, tenantId, status] = [methodOf(c), c.get('requestId'), principal?.tenantId ?? 'unknown', c.res.status]
  const labels = { method, endpoint, tenant_id: tenantId }
  ctx.metrics.count('http_requests_total', { ...labels, status_code: String(status) })
  ctx.metrics.observe('http_request_duration_seconds', { ...labels, status_code: String(status) }, durationMs / 1000)
  ctx.metrics.observe('http_response_size_bytes', labels, c.get('sentBytes') ?? 0)
  if (ctx.config.METRICS_EMF === 'on') {
    ctx.log.line(emfLine(EMF_NAMESPACE, { at: ctx.clock.now(), durationMs, method, endpoint, statusCode: status, tenantId, requestId }))
  }
  ctx.log.info('request', {
    request_id: requestId,
    method,
    route: route?.id ?? 'unknown',
    status,
    duration_ms: Math.round(durationMs),
    ...(principal === undefined ? {} : noteOf(principal)),
    // Spoofed, or by a proxy that TRUSTED_PROXIES does not name. What it says is the caller's to write, and so not here.
    ...(isForwardingIgnored(peerOf(c).address, c.req.header('x-forwarded-for'), ctx.config.TRUSTED_PROXIES) ? { forwarded: 'ignored' } : {}),
  })
}

export type FrameOptions = {
  /** How long a request may take; REQUEST_SECONDS unless told. */
  readonly requestSeconds?: number
}

export const frame = (ctx: PlatformCtx, fail: Fail, refusals: Refusals, { requestSeconds = ctx.config.REQUEST_SECONDS }: FrameOptions): Step => {
  const origins = createOrigins(ctx)
  const judgeOrigin = async (c: Exchange, origin: string, address: string): Promise<void> => {
    // Whoever cannot be looked up now is not let in now.
    const isAllowed = await origins.allowed(origin, address).catch(() => false)
    if (!isAllowed && !isForAnyPage(c.req.path)) return
    c.set('originAllowed', isAllowed)
    c.set('cors', { ...corsHeaders(isAllowed ? origin : '*'), ...(c.req.method === 'OPTIONS' ? preflightHeaders : {}) })
  }
  const isProduction = ctx.config.ENVIRONMENT === 'production'
  /** Whoever names a host that is not ours is looking for somebody else, or makes us write links to it (RFC 9110 section 7.4). */
  const requireHost = async (c: Exchange, address: string): Promise<void> => {
    const host = c.req.header('host')?.toLowerCase()
    if (host === undefined || (await origins.serves(host, address))) return
    ctx.log.warn('request.unknown_host', { request_id: c.get('requestId') })
    throw new AppError('unknown_host')
  }
  return async (c, next) => {
    const startedAt = ctx.clock.elapsed()
    c.set(
      'requestId',
      requestIdOf(c.req.raw.headers, () => ctx.random.id()),
    )
    const forwarded = forwardedOf(c, ctx.config)
    c.set('hsts', forwarded.secure || isProduction)
    try {
      if (headerBytes(c) > MAX_HEADER_BYTES) throw new AppError('headers_too_large')
      if (isProduction) await requireHost(c, forwarded.address)
      const origin = c.req.header('origin')
      if (origin !== undefined) await judgeOrigin(c, origin, forwarded.address)
      if (c.req.method === 'OPTIONS') c.res = respond(c, { status: 204, body: null, headers: {} })
      else await withinTime(next(), requestSeconds)
    } catch (error) {
      c.res = await fail(error, c)
    }
    account(ctx, c, startedAt)
    await ctx.metrics.flush()
    await refusals.settle()
  }
}
