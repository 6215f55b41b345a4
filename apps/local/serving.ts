// Serves an app on a port and shuts it down in steps: it first reports that it is going away, on the readiness route and on every connection, then stops accepting
// connections and answers the running requests.
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { BaseCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import type { mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import type { Peer } from '#shared/platform/http/request'
import { checkHealth } from '../../functions/tenants/health.ts'

/** Space for headers that we refuse ourselves, with an explanation in the body. */
const MAX_HEADER_BYTES = 96 * 1024
/** Requests within this time receive the previous result. */
const REMEMBERED_MS = 1000
/** An idle connection is closed after this time; it is longer than the one minute of common load balancers, which must be the ones to close. */
const KEPT_MS = 65_000
/** The headers of a request must have arrived within this time, measured from its first byte, or from the connection where none came. */
const HEADERS_MS = 10_000
/** How often the server looks for connections that exceed it. */
const CHECK_HEADERS_MS = 500

type Node = { readonly incoming?: IncomingMessage; readonly outgoing?: ServerResponse }
export type Serving = { readonly port: number; close(noticeSeconds: number): Promise<void> }

const plain = (status: number, text: string): Response =>
  new Response(`${text}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } })

/**
 * `/health/live`: the process answers. `/health/ready`: it can serve requests and is not shutting down; `degraded` where it does so without the cache. Answered under
 * any host name.
 */
const probes = (ctx: BaseCtx, isEnding: () => boolean) => {
  let last: { readonly at: number; readonly status: ReturnType<typeof health> } | undefined
  const health = async () => (await checkHealth(ctx)).body.status
  const lately = (): ReturnType<typeof health> => {
    const now = ctx.clock.elapsed()
    if (last === undefined || now - last.at > REMEMBERED_MS) last = { at: now, status: health() }
    return last.status
  }
  return async (path: string): Promise<Response | undefined> => {
    if (path === '/health/live') return plain(200, 'alive')
    if (path !== '/health/ready') return undefined
    if (isEnding()) return plain(503, 'ending')
    const status = await lately()
    if (status === 'unhealthy') return plain(503, 'a required dependency is unavailable')
    return plain(200, status === 'degraded' ? 'degraded: the cache is unavailable' : 'ready')
  }
}

/** Logs connections that never became a request, next to the log line of each request. */
const noteUnread = (log: BaseCtx['log'], status: number): void => log.warn('request.unreadable', { status })

const PARSER_STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Input that is not HTTP, or whose headers are too large, is answered as Node does. */
const refuseUnread =
  (log: BaseCtx['log']) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const status = PARSER_STATUS[error.code ?? ''] ?? 400
    noteUnread(log, status)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`)
  }

/** Answer to a request whose target is not a valid address (RFC 9112 section 3.2). */
const unreadable = async ({ random, clock, log }: Pick<BaseCtx, 'random' | 'clock' | 'log'>, error: unknown): Promise<Response> => {
  if (!(error instanceof RequestError)) {
    log.error('request_failed', error)
    return plain(500, 'failed')
  }
  noteUnread(log, 400)
  const refused = new AppError('invalid_request', 'The host or the request target is malformed.', { field: 'header.host' })
  const told = await problem(refused, random.id(), clock.now())
  const headers = { ...told.headers, 'content-type': told.type, 'x-content-type-options': 'nosniff' }
  return new Response(JSON.stringify(told.body), { status: 400, headers })
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    // A connection whose request was answered meanwhile is idle, and its client may keep it open indefinitely.
    const sweep = setInterval(() => server.closeIdleConnections(), 100)
    server.once('close', () => clearInterval(sweep))
    server.closeIdleConnections()
  })

/** The peer of the connection, with the raw headers of the request. */
export const peerOf = (incoming: IncomingMessage | undefined): Peer => ({
  address: incoming?.socket.remoteAddress ?? '',
  secure: false,
  ...(incoming === undefined ? {} : { rawHeaders: incoming.rawHeaders }),
})

export const listen = (app: ReturnType<typeof mount>, ctx: BaseCtx): Promise<Serving> =>
  new Promise((resolve, reject) => {
    const { config, log } = ctx
    let isEnding = false
    const probe = probes(ctx, () => isEnding)
    const fetch = async (request: Request, env: unknown): Promise<Response> => {
      const { incoming, outgoing } = env as Node
      if (isEnding) outgoing?.setHeader('Connection', 'close')
      return (await probe(new URL(request.url).pathname)) ?? app.fetch(request, { peer: peerOf(incoming) })
    }
    const close = async (noticeSeconds: number): Promise<void> => {
      isEnding = true
      log.info('server.ending', { notice_seconds: noticeSeconds })
      await new Promise((over) => setTimeout(over, noticeSeconds * 1000))
      await closed(server)
    }
    const answer = getRequestListener(fetch, { hostname: config.HOST, errorHandler: (error) => unreadable(ctx, error) })
    const server = createServer(
      { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEPT_MS, headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_HEADERS_MS },
      (request, response) => void answer(request, response),
    )
    server.on('error', reject)
    server.on('clientError', refuseUnread(log))
    server.listen(config.PORT, config.HOST, () => resolve({ port: (server.address() as AddressInfo).port, close }))
  })
