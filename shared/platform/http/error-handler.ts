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

/** The error format when no route was found: AuthSec's below its prefix, RFC 9457 elsewhere. */
const shapeOf = (c: HttpContext): ErrorRenderer => c.get('render') ?? (isAuthsecPath(c.req.path) ? authsecError : problem)

const requestOf = (c: HttpContext): ErrorContext | undefined => {
  const request = c.get('request')
  return request === undefined ? undefined : { request, sent: c.get('sentBody') }
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
    const { body, type, headers, status } = await shapeOf(c)(error, requestId, ctx.clock.now(), requestOf(c))
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return respond(c, {
      status: status ?? error.status,
      body: text,
      headers: { ...headers, 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(text)) },
    })
  }
}
