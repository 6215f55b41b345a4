// The guard as Hono middleware: `app.use('/mcp/*', guarded(guard, { scopes: ['tools:read'] }))`, then `c.get('token')`.
import type { MiddlewareHandler } from 'hono'
import type { Guard } from './guard.ts'
import type { Requirement } from './refusal.ts'
import type { AccessToken } from './token.ts'

export type GuardedVariables = { Variables: { token: AccessToken } }

/** Refuses requests without a valid token; later handlers read it as `token`. The metadata is served by `guardMetadata`, or by this middleware where it covers the path. */
export const guarded =
  (guard: Guard, requirement: Requirement = {}): MiddlewareHandler<GuardedVariables> =>
  async (c, next) => {
    const document = guard.metadata(c.req.raw)
    if (document !== undefined) return document
    const { token, refusal } = await guard.check(c.req.raw, requirement)
    if (refusal !== undefined) return refusal
    c.set('token', token)
    return next()
  }

/** Serves the protected resource metadata: `app.use(guardMetadata(guard))`. */
export const guardMetadata =
  (guard: Guard): MiddlewareHandler =>
  async (c, next) =>
    guard.metadata(c.req.raw) ?? next()
