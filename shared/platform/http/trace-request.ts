// Wraps each request of a route in a span when tracing is on.
import type { PlatformCtx } from '#shared/platform/context'
import { principalIdOf } from '#shared/platform/principals/principal'
import type { Middleware } from './env.ts'
import { methodOf, pathOf, type Route } from './route.ts'

/** Continues the caller's trace. The span has the route's template, ids and the status; a server error marks it as failed. */
export const traceRequest =
  ({ tracer }: Pick<PlatformCtx, 'tracer'>, route: Pick<Route<never>, 'on'>): Middleware =>
  async (c, next) => {
    const [method, path] = [methodOf(route), pathOf(route)]
    const attributes = { 'http.request.method': method, 'http.route': path, 'authsec.request_id': c.get('requestId') }
    const work = tracer.span(
      `${method} ${path}`,
      attributes,
      async (set) => {
        await next()
        const principal = c.get('principal')
        set({
          'http.response.status_code': c.res.status,
          ...(principal === undefined ? {} : { 'authsec.tenant_id': principal.tenantId, 'authsec.principal_id': principalIdOf(principal) }),
        })
        // The error has already been answered; it is thrown only to mark the span as failed.
        if (c.error !== undefined && c.res.status >= 500) throw c.error
      },
      { traceparent: c.req.header('traceparent') },
    )
    await work.catch((error: unknown) => {
      if (error !== c.error) throw error
    })
  }
