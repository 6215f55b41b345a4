// Surrounds every request, known path or not: request id, time and header limits, CORS, security headers, one log line, one count.

import { AppError } from '#shared/kernel/errors'
import { clientAddress, forwardedPlace, forwardedProto, isForwardingIgnored } from '#shared/kernel/ip-address'
import type { PlatformCtx } from '#shared/platform/context'
import { emfLine } from '#shared/platform/metrics/emf'
import { type Caller, principalIdOf } from '#shared/platform/principals/principal'
import { allowsAnyOrigin, corsHeaders, createOrigins, preflightHeaders } from './cors.ts'
import type { HttpContext, Middleware } from './env.ts'
import type { ErrorHandler } from './error-handler.ts'
import type { RefusalAudit } from './refusal-audit.ts'
import { type Forwarded, type Peer, requestIdOf } from './request.ts'
import { respond } from './respond.ts'
import { pathOf } from './route.ts'

const MAX_HEADER_BYTES = 32 * 1024
const EMF_NAMESPACE = 'authsec-serverless'

/** Methods that appear in metrics and log lines; a caller can invent any number of others. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const methodOf = (c: HttpContext): string => (METHODS.has(c.req.method) ? c.req.method : 'other')

/** A production deployment with an https base URL is only reached over TLS, even when the proxy that ends TLS is not in TRUSTED_PROXIES. */
const isAlwaysSecure = ({ ENVIRONMENT, BASE_URL }: PlatformCtx['config']): boolean => ENVIRONMENT === 'production' && BASE_URL.startsWith('https:')

const peerOf = (c: HttpContext): Peer => c.env?.peer ?? { address: '', secure: false }

/** Address, scheme and place of the caller, as the nearest trusted proxy reports them. */
export const forwardedOf = (c: HttpContext, config: PlatformCtx['config']): Forwarded => {
  const peer = peerOf(c)
  const trusted = config.TRUSTED_PROXIES
  const forwardedScheme = forwardedProto(peer.address, c.req.header('x-forwarded-proto'), trusted)
  return {
    address: clientAddress(peer.address, c.req.header('x-forwarded-for'), trusted),
    secure: peer.secure || forwardedScheme === 'https' || isAlwaysSecure(config),
    place: forwardedPlace(
      peer.address,
      config.PLACE_HEADERS.map((name) => c.req.header(name)),
      trusted,
    ),
  }
}

/** Size of the headers. The server's raw list is preferred: building a Headers object costs more than reading it. */
const headerBytes = (c: HttpContext): number => {
  const parts = c.env?.peer?.rawHeaders ?? [...c.req.raw.headers].flat()
  // Each name and each value has two more bytes: `: ` and the line end.
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
  ...(caller.kind === 'user' ? { session_id: caller.sessionId } : {}),
  ...(caller.kind === 'client' ? { client_id: caller.clientId } : {}),
  ...(caller.kind === 'workload' ? { svid: caller.svidId } : {}),
})

/** One log line and one count per request. Only ids, codes and the route's name: no text from the caller. */
const logRequest = (ctx: PlatformCtx, c: HttpContext, startedAt: number): void => {
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
    // The header is spoofed, or written by a proxy that TRUSTED_PROXIES does not name. Its value is the caller's text and is not logged.
    ...(isForwardingIgnored(peerOf(c).address, c.req.header('x-forwarded-for'), ctx.config.TRUSTED_PROXIES) ? { forwarded: 'ignored' } : {}),
  })
}

export type FrameOptions = {
  /** Longest duration of a request; by default REQUEST_SECONDS. */
  readonly requestSeconds?: number
}

export const frame = (
  ctx: PlatformCtx,
  fail: ErrorHandler,
  refusals: RefusalAudit,
  { requestSeconds = ctx.config.REQUEST_SECONDS }: FrameOptions,
): Middleware => {
  const origins = createOrigins(ctx)
  const checkOrigin = async (c: HttpContext, origin: string, address: string): Promise<void> => {
    // An origin that cannot be looked up is not allowed.
    const isAllowed = await origins.allowed(origin, address).catch(() => false)
    if (!isAllowed && !allowsAnyOrigin(c.req.path)) return
    c.set('originAllowed', isAllowed)
    c.set('cors', { ...corsHeaders(isAllowed ? origin : '*'), ...(c.req.method === 'OPTIONS' ? preflightHeaders : {}) })
  }
  const isProduction = ctx.config.ENVIRONMENT === 'production'
  /** Refuses hosts that this deployment does not serve: links built from such a host would lead elsewhere (RFC 9110 section 7.4). */
  const requireHost = async (c: HttpContext, address: string): Promise<void> => {
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
      if (origin !== undefined) await checkOrigin(c, origin, forwarded.address)
      if (c.req.method === 'OPTIONS') c.res = respond(c, { status: 204, body: null, headers: {} })
      else await withinTime(next(), requestSeconds)
    } catch (error) {
      c.res = await fail(error, c)
    }
    logRequest(ctx, c, startedAt)
    await ctx.metrics.flush()
    await refusals.settle()
  }
}
