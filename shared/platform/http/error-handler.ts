// A failure becomes a response, once: rendered as its group does, recorded when it is a refusal, logged when it is ours.
import { HTTPException } from 'hono/http-exception'
import { isDatabaseUnavailable, sqlState } from '#db/engine/client'
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

/** Values that the database cannot hold (SQLSTATE classes 22 and 54): a schema let through what it should not have. The caller's fault, and a gap of ours. */
const isUnstorable = (error: unknown): boolean => /^(22|54)/.test(sqlState(error) ?? '')

/** Two changes waited for each other, or saw each other half (serialization_failure, deadlock_detected): nothing was done, and a second try is in order. */
const isCollision = (error: unknown): boolean => /^(40001|40P01)$/.test(sqlState(error) ?? '')

/** Every failure as an AppError: ours as it is, a dependency that is away, anything else as `internal`. */
export const asAppError = (error: unknown): AppError => {
  if (error instanceof AppError) return error
  if (error instanceof CacheUnavailable || isDatabaseUnavailable(error)) return new AppError('unavailable', undefined, {}, error)
  if (isCollision(error)) return new AppError('unavailable', undefined, { retryAfterSeconds: 1 }, error)
  if (isUnstorable(error)) return new AppError('invalid_request', undefined, {}, error)
  if (error instanceof HTTPException && error.status < 500) return new AppError('invalid_request', undefined, {}, error)
  return new AppError('internal', undefined, {}, error)
}

/** The shape of errors where no route was found: AuthSec's where its clients call, RFC 9457 elsewhere. */
const shapeOf = (c: HttpContext): ErrorRenderer => c.get('render') ?? (isAuthsecPath(c.req.path) ? authsecError : problem)

const askedOf = (c: HttpContext): ErrorContext | undefined => {
  const request = c.get('request')
  return request === undefined ? undefined : { request, sent: c.get('sentBody') }
}

/** `cause` reaches the log alone. */
export const createErrorHandler = (ctx: PlatformCtx, refusals: RefusalAudit): ErrorHandler => {
  const isFirst = oncePerMinute(ctx)

  /** A tenant past its quota is refused far more often than anybody reads: once a minute is enough, and costs it nothing. */
  const isWorthRecording = async (error: AppError, c: HttpContext): Promise<boolean> => {
    const tenantId = error.details.refusal?.tenantId ?? c.get('principal')?.tenantId
    return error.code !== 'quota_exceeded' || tenantId === undefined || (await isFirst(tenantId))
  }

  return async (thrown, c) => {
    const error = asAppError(thrown)
    const requestId = c.get('requestId')
    // A rule's own refusal may carry a cause for nobody's eyes; what we turned into one is worth a look.
    if (error.cause !== undefined && (error.status >= 500 || error !== thrown)) {
      ctx.log.error('request_failed', error.cause, { request_id: requestId, code: error.code, route: c.get('route')?.id })
    }
    if (await isWorthRecording(error, c)) await refusals.note(error, c.get('request'), c.get('principal'))
    const { body, type, headers, status } = await shapeOf(c)(error, requestId, ctx.clock.now(), askedOf(c))
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return respond(c, {
      status: status ?? error.status,
      body: text,
      headers: { ...headers, 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(text)) },
    })
  }
}
