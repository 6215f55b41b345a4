// Builds a Hono app from route declarations. Order of a request: frame, access, reading, tenant rule, validation, handle, reply; a failure of any
// step ends in fail.ts.
import { Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { byCaller, recordEvent } from '#shared/platform/audit/audit-log'
import type { PlatformCtx } from '#shared/platform/context'
import { noTracer } from '#shared/platform/trace/trace'
import { type Env, type HttpContext, type RequestStage, requireDefined } from './env.ts'
import { createErrorHandler } from './error-handler.ts'
import { type FrameOptions, forwardedOf, frame } from './frame.ts'
import { authenticateCaller, authorize, limitAccount } from './guard.ts'
import { requireFormToken } from './pages/form.ts'
import { parseParts, readStages } from './parse.ts'
import { authsecError, type ErrorRenderer } from './problem.ts'
import { createRefusalAudit, type RefusalAudit } from './refusal-audit.ts'
import { notModified, replyWith } from './reply.ts'
import { requestInfo } from './request.ts'
import { respond } from './respond.ts'
import { type MountableRoute, methodOf, pathOf, type Route } from './route.ts'
import { foreignTenant } from './tenant-rule.ts'
import { traceRequest } from './trace-request.ts'
import { requireProvedBody } from './workload-authentication.ts'

/** One group: its routes, their context apart from the request, and the format of its errors. */
export type Group<Ctx> = { readonly routes: readonly MountableRoute<Ctx>[]; readonly ctx: Omit<Ctx, 'request'>; readonly render?: ErrorRenderer }
/** A group whose context type was checked by `group`. */
export type MountedGroup = { readonly routes: readonly MountableRoute<never>[]; readonly ctx: PlatformCtx; readonly render: ErrorRenderer }
export const group = <Ctx extends PlatformCtx & { readonly request: RequestInfo }>({ routes, ctx, render }: Group<Ctx>): MountedGroup => ({
  routes: routes as unknown as readonly MountableRoute<never>[],
  ctx: ctx as unknown as PlatformCtx,
  render: render ?? authsecError,
})

/**
 * Access comes before parsing, so that an unauthorised caller learns nothing about a schema. The caller is stored before `authorize`, so that a
 * refusal names the caller.
 */
const access =
  (ctx: PlatformCtx, route: Route<never>, render: ErrorRenderer): RequestStage =>
  async (c) => {
    c.set('route', route)
    c.set('render', route.render ?? render)
    const request = requestInfo(c.req.raw, forwardedOf(c, ctx.config), c.get('requestId'), route, c.get('originAllowed') === true)
    c.set('request', request)
    const principal = await authenticateCaller(ctx, route, request)
    c.set('principal', principal)
    if (principal !== undefined) authorize(ctx, route, principal)
  }

/**
 * Checks every tenant id in the request, including members that no schema declares. A platform administrator may name another tenant on a route that
 * acts in it; that is recorded in the audit log.
 */
const tenantRule =
  (ctx: PlatformCtx, route: Route<never>): RequestStage =>
  async (c) => {
    const principal = c.get('principal')
    if (principal === undefined) return
    const headers = { tenant_id: c.req.header('tenant_id'), tenantId: c.req.header('x-tenant-id') }
    const foreign = foreignTenant(principal, { path: c.req.param(), query: c.get('sentQuery'), body: c.get('sentBody'), headers }, route.actsIn)
    if (foreign !== undefined) {
      const request = requireDefined(c.get('request'), 'request')
      const target = { type: 'tenant', id: foreign }
      await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) =>
        recordEvent(t, { ...ctx, request }, { event: 'tenant.accessed', actor: byCaller(principal), target }),
      )
    }
  }

/** The proof of a workload is for one body. A route without a declared body reads none, so there the proof is for the empty one. */
const proofRule: RequestStage = (c) => {
  const principal = c.get('principal')
  if (principal?.kind === 'workload') requireProvedBody(principal, c.get('bodyText') ?? '')
}

type Answering = (c: HttpContext) => Promise<Response>

const answering =
  (ctx: PlatformCtx, route: Route<never>, stages: readonly RequestStage[]): Answering =>
  async (c) => {
    for (const stage of stages) {
      const work = stage(c)
      if (work !== undefined) await work
    }
    const request = requireDefined(c.get('request'), 'request')
    const parts = parseParts(c, route)
    const principal = c.get('principal')
    if (route.form !== undefined && (route.access.rule === 'page' || route.access.rule === 'browser')) {
      requireFormToken(ctx, request, c.get('sentBody'))
    }
    await limitAccount(ctx, route, request, parts.body ?? parts.form)
    const outcome = await route.handle({ ctx: { ...ctx, request } as never, principal: principal as never, ...parts } as never)
    return respond(c, notModified(replyWith(route, outcome, request), c.req.raw))
  }

/** The handler of a route, built with its first request. */
const handler = (ctx: PlatformCtx, route: MountableRoute<never>, render: ErrorRenderer): Answering => {
  const make = async (): Promise<Answering> => {
    const loaded = 'load' in route ? await route.load() : route
    // A different route's access rule would guard the wrong path.
    if (loaded?.on !== route.on) throw new Error(`${route.on} was loaded as ${loaded?.on}`)
    return answering(ctx, loaded, [access(ctx, loaded, render), ...readStages(loaded), proofRule, tenantRule(ctx, loaded)])
  }
  let made: Promise<Answering> | undefined
  return async (c) => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return (await made)(c)
  }
}

/** Finds the methods of a path when no route matched. Hono answers HEAD wherever there is GET, and the frame answers OPTIONS. */
const otherMethods = (groups: readonly MountedGroup[]) => {
  type Known = { readonly render: ErrorRenderer; readonly method: string }
  const build = (): TrieRouter<Known> => {
    const router = new TrieRouter<Known>()
    for (const { routes, render } of groups) for (const route of routes) router.add('ALL', pathOf(route), { render, method: methodOf(route) })
    return router
  }
  let built: TrieRouter<Known> | undefined
  return (c: HttpContext): AppError | undefined => {
    built ??= build()
    const found = built.match('ALL', c.req.path)[0].map(([one]) => one)
    if (found[0] === undefined) return undefined
    c.set('render', found[0].render)
    const allowed = new Set(found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
    return new AppError('method_not_allowed', undefined, { headers: { Allow: [...allowed, 'OPTIONS'].join(', ') } })
  }
}

export type MountOptions = FrameOptions & {
  /** Passed in by a caller that settles them when the process ends. */
  readonly refusals?: RefusalAudit
}

/** Mounts groups on one app. `ctx` is the context of the frame around all of them. */
export const mount = (ctx: PlatformCtx, groups: readonly MountedGroup[], options: MountOptions = {}): Hono<Env> => {
  const app = new Hono<Env>()
  const refusals = options.refusals ?? createRefusalAudit(ctx)
  const fail = createErrorHandler(ctx, refusals)
  app.onError(fail)
  const notAllowed = otherMethods(groups)
  app.notFound((c) => fail(notAllowed(c) ?? new AppError('not_found'), c))
  app.use('*', frame(ctx, fail, refusals, options))
  for (const { routes, ctx: own, render } of groups) {
    for (const route of routes) {
      const tracing = own.tracer === noTracer ? [] : [traceRequest(own, route)]
      app.on(methodOf(route), [pathOf(route)], ...tracing, handler(own, route, render))
    }
  }
  return app
}
