// Turns a failure into a response: rendered in the group's format, recorded in the audit log when it is a refusal, logged when it is our fault.
import { HTTPException } from 'hono/http-exception'
import { isDatabaseUnavailable, isOutOfSpace, sqlState } from '#db/engine/client'
import { AppError } from '#shared/kernel/errors'
import { CacheUnavailable } from '#shared/platform/cache/cache'
import type { PlatformCtx } from '#shared/platform/context'
import type { HttpContext } from './env.ts'
import { oncePerMinute } from './once-per-minute.ts'
import { authsecError, type ErrorContext, type ErrorRenderer, problem } from './problem.ts'
import type { RefusalAudit } from './refusal-audit.ts'
import { respond } from './respond.ts'
import { isAuthsecPath } from './route.ts'

export type ErrorHandler = (thrown: unknown, c: HttpContext) => Promise<Response>

/** Values that the database cannot hold (SQLSTATE classes 22 and 54): the caller's fault, though a schema should have refused them. */
const isUnstorable = (error: unknown): boolean => /^(22|54)/.test(sqlState(error) ?? '')

/** The transaction was rolled back because of another one (serialization_failure, deadlock_detected); the caller may retry. */
const isCollision = (error: unknown): boolean => /^(40001|40P01)$/.test(sqlState(error) ?? '')

const FULL_RETRY_SECONDS = 30

/** Any failure as an AppError: an AppError unchanged, an unavailable dependency as `unavailable`, anything unknown as `internal`. */
export const asAppError = (error: unknown): AppError => {
  if (error instanceof AppError) return error
  if (error instanceof CacheUnavailable || isDatabaseUnavailable(error)) return new AppError('unavailable', undefined, {}, error)
  // A disk is not emptied within seconds.
  if (isOutOfSpace(error)) return new AppError('unavailable', undefined, { retryAfterSeconds: FULL_RETRY_SECONDS }, error)
  if (isCollision(error)) return new AppError('unavailable', undefined, { retryAfterSeconds: 1 }, error)
  if (isUnstorable(error)) return new AppError('invalid_request', undefined, {}, error)
  if (error instanceof HTTPException && error.status < 500) return new AppError('invalid_request', undefined, {}, error)
  return new AppError('internal', undefined, {}, error)
}

/** A person who opens the address: browsers prefer HTML then, and send no credentials in a header. */
const isOpenedInBrowser = (c: HttpContext): boolean => {
  const accept = c.req.header('accept') ?? ''
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  return isRead && accept.includes('text/html') && !accept.includes('json') && c.req.header('authorization') === undefined
}

/** The error format when no route was found: AuthSec's below its prefix, RFC 9457 elsewhere. */
const shapeOf = (c: HttpContext): ErrorRenderer => c.get('render') ?? (isAuthsecPath(c.req.path) ? authsecError : problem)

const contextOf = (c: HttpContext, { config }: PlatformCtx): ErrorContext => ({
  request: c.get('request'),
  sent: c.get('sentBody'),
  header: (name) => c.req.header(name),
  baseUrl: config.BASE_URL,
  isOfPage: ['page', 'browser'].includes(c.get('route')?.access.rule ?? ''),
  isDevelopment: config.ENVIRONMENT === 'development',
})

const LONGEST_LOGGED = 200
/** An address without its query, which may contain secrets. */
const withoutQuery = (value: string): string => (value.split(/[?#]/, 1)[0] ?? '').slice(0, LONGEST_LOGGED)

/** What the reader of an error page is not told, under the reference that the page displays. */
const logPage = (ctx: PlatformCtx, error: AppError, c: HttpContext): void => {
  const named = Object.entries(error.details.named ?? {}).map(([name, value]) => [name, value === undefined ? undefined : withoutQuery(value)])
  ctx.log.info('error_page', {
    request_id: c.get('requestId'),
    route: c.get('route')?.id,
    code: error.code,
    detail: error.message.slice(0, LONGEST_LOGGED),
    ...Object.fromEntries(named),
  })
}

/** The error handler of an app. An error's `cause` reaches only the log. */
export const createErrorHandler = (ctx: PlatformCtx, refusals: RefusalAudit): ErrorHandler => {
  const isFirstOfMinute = oncePerMinute(ctx)

  /** A tenant past its quota is refused often; one audit event per minute is enough and does not consume its quota. */
  const isWorthRecording = async (error: AppError, c: HttpContext): Promise<boolean> => {
    const tenantId = error.details.refusal?.tenantId ?? c.get('principal')?.tenantId
    return error.code !== 'quota_exceeded' || tenantId === undefined || (await isFirstOfMinute(tenantId))
  }

  return async (thrown, c) => {
    const error = asAppError(thrown)
    const requestId = c.get('requestId')
    // A refusal that a rule threw is expected, and its cause is not logged. Errors converted by `asAppError` and server errors are.
    if (error.cause !== undefined && (error.status >= 500 || error !== thrown)) {
      ctx.log.error('request_failed', error.cause, { request_id: requestId, code: error.code, route: c.get('route')?.id })
    }
    if (await isWorthRecording(error, c)) await refusals.note(error, c.get('request'), c.get('principal'))
    const failure = [error, requestId, ctx.clock.now(), contextOf(c, ctx)] as const
    const rendered = await shapeOf(c)(...failure)
    const isForProgram = !rendered.type.startsWith('text/html')
    const { body, type, headers, status } = isForProgram && isOpenedInBrowser(c) ? await ctx.errorPage(...failure) : rendered
    if (status === undefined && type.startsWith('text/html')) logPage(ctx, error, c)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return respond(c, {
      status: status ?? error.status,
      body: text,
      headers: { ...headers, 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(text)) },
    })
  }
}
