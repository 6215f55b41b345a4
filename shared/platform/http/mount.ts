// Declarations -> Hono app. A request goes: frame, access, reading, tenant rule, validating, handle, reply; a failure of any step ends in fail.ts.
import { Hono } from 'hono'
import { TrieRouter } from 'hono/router/trie-router'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { byCaller, record } from '#shared/platform/audit/record'
import type { PlatformCtx } from '#shared/platform/context'
import { noTracer } from '#shared/platform/trace/trace'
import { respond } from './answer.ts'
import { type Env, type Exchange, known, type Stage } from './env.ts'
import { failing } from './fail.ts'
import { type FrameOptions, forwardedOf, frame } from './frame.ts'
import { authorize, identify, limitAccount } from './guard.ts'
import { requireFormToken } from './pages/form.ts'
import { parsedParts, reading, validating } from './parse.ts'
import { authsecError, type Render } from './problem.ts'
import { type Refusals, recordedRefusals } from './refusals.ts'
import { notModified, replyWith } from './reply.ts'
import { requestInfo } from './request.ts'
import { type Mountable, methodOf, pathOf, type Route } from './route.ts'
import { foreignTenant } from './tenant-rule.ts'
import { traced } from './traced.ts'

/** One group: its routes, what they need beyond the request, and the shape of its errors. */
export type Group<Ctx> = { readonly routes: readonly Mountable<Ctx>[]; readonly ctx: Omit<Ctx, 'request'>; readonly render?: Render }
/** A group whose context type was checked where it was made. */
export type MountedGroup = { readonly routes: readonly Mountable<never>[]; readonly ctx: PlatformCtx; readonly render: Render }
export const group = <Ctx extends PlatformCtx & { readonly request: RequestInfo }>({ routes, ctx, render }: Group<Ctx>): MountedGroup => ({
  routes: routes as unknown as readonly Mountable<never>[],
  ctx: ctx as unknown as PlatformCtx,
  render: render ?? authsecError,
})

/** Access before parsing: a stranger learns nothing of a schema. Who is calling is noted before it is judged, so that a refusal has a name. */
const access =
  (ctx: PlatformCtx, route: Route<never>, render: Render): Stage =>
  async (c) => {
    c.set('route', route)
    c.set('render', route.render ?? render)
    const request = requestInfo(c.req.raw, forwardedOf(c, ctx.config), c.get('requestId'), route, c.get('originAllowed') === true)
    c.set('request', request)
    const principal = await identify(ctx, route, request)
    c.set('principal', principal)
    if (principal !== undefined) authorize(ctx, route, principal)
  }

/** Judges all that was sent, also what no schema asks for. Who administers the platform may name another tenant to a route that acts there: it is recorded. */
const tenantRule =
  (ctx: PlatformCtx, route: Route<never>): Stage =>
  async (c) => {
    const principal = c.get('principal')
    if (principal === undefined) return
    const headers = { tenant_id: c.req.header('tenant_id'), tenantId: c.req.header('x-tenant-id') }
    const foreign = foreignTenant(principal, { path: c.req.param(), query: c.get('sentQuery'), body: c.get('sentBody'), headers }, route.actsIn)
    if (foreign !== undefined) {
      const request = known(c.get('request'), 'request')
      const target = { type: 'tenant', id: foreign }
      await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) =>
        record(t, { ...ctx, request }, { event: 'tenant.accessed', actor: byCaller(principal), target }),
      )
    }
  }

type Answering = (c: Exchange) => Promise<Response>

const answering =
  (ctx: PlatformCtx, route: Route<never>, stages: readonly Stage[]): Answering =>
  async (c) => {
    for (const stage of stages) {
      const work = stage(c)
      if (work !== undefined) await work
    }
    const request = known(c.get('request'), 'request')
    const parts = parsedParts(c, route)
    const principal = c.get('principal')
    if (route.form !== undefined && (route.access.rule === 'page' || route.access.rule === 'browser')) {
      requireFormToken(ctx, request, c.get('sentBody'))
    }
    await limitAccount(ctx, route, request, parts.body ?? parts.form)
    const outcome = await route.handle({ ctx: { ...ctx, request } as never, principal: principal as never, ...parts } as never)
    return respond(c, notModified(replyWith(route, outcome, request), c.req.raw))
  }

/** What a route needs is made with its first request. */
const handler = (ctx: PlatformCtx, route: Mountable<never>, render: Render): Answering => {
  const make = async (): Promise<Answering> => {
    const loaded = 'load' in route ? await route.load() : route
    // Its access rule would guard another path than it was written for.
    if (loaded?.on !== route.on) throw new Error(`${route.on} was loaded as ${loaded?.on}`)
    return answering(ctx, loaded, [access(ctx, loaded, render), ...reading(loaded), tenantRule(ctx, loaded), ...validating(loaded)])
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

/** A known path under another method: which ones it answers, asked when no route did. Hono answers HEAD wherever there is GET, and the frame answers OPTIONS. */
const otherMethods = (groups: readonly MountedGroup[]) => {
  type Known = { readonly render: Render; readonly method: string }
  const build = (): TrieRouter<Known> => {
    const router = new TrieRouter<Known>()
    for (const { routes, render } of groups) for (const route of routes) router.add('ALL', pathOf(route), { render, method: methodOf(route) })
    return router
  }
  let built: TrieRouter<Known> | undefined
  return (c: Exchange): AppError | undefined => {
    built ??= build()
    const found = built.match('ALL', c.req.path)[0].map(([one]) => one)
    if (found[0] === undefined) return undefined
    c.set('render', found[0].render)
    const allowed = new Set(found.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
    return new AppError('method_not_allowed', undefined, { headers: { Allow: [...allowed, 'OPTIONS'].join(', ') } })
  }
}

export type MountOptions = FrameOptions & {
  /** Handed in by who settles them when the process ends. */
  readonly refusals?: Refusals
}

/** Mounts groups on one app. `ctx` is what the frame around all of them uses. */
export const mount = (ctx: PlatformCtx, groups: readonly MountedGroup[], options: MountOptions = {}): Hono<Env> => {
  const app = new Hono<Env>()
  const refusals = options.refusals ?? recordedRefusals(ctx)
  const fail = failing(ctx, refusals)
  app.onError(fail)
  const notAllowed = otherMethods(groups)
  app.notFound((c) => fail(notAllowed(c) ?? new AppError('not_found'), c))
  app.use('*', frame(ctx, fail, refusals, options))
  for (const { routes, ctx: own, render } of groups) {
    for (const route of routes) {
      const tracing = own.tracer === noTracer ? [] : [traced(own, route)]
      app.on(methodOf(route), [pathOf(route)], ...tracing, handler(own, route, render))
    }
  }
  return app
}
