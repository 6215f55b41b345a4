// Decides access rules: identity, permission and rate limits. Runs before any part of the request is parsed.
import { createHash } from 'node:crypto'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { rateLimitKeyOf } from '#shared/kernel/ip-address'
import type { PlatformCtx } from '#shared/platform/context'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Caller, Client, Permission, User, Workload } from '#shared/platform/principals/principal'
import { LIMITS, type Limit } from './access.ts'
import { basicCredentials, usesBasicAuth } from './basic-auth.ts'
import type { LimitEntry } from './limits.ts'
import { requireOwnPage } from './pages/form.ts'
import { sessionToken } from './pages/session.ts'
import type { Route } from './route.ts'
import { requireStepUp } from './step-up.ts'

type GuardCtx = Pick<
  PlatformCtx,
  'config' | 'limits' | 'quotas' | 'principals' | 'clientAuthentication' | 'workloadAuthentication' | 'clock' | 'hash'
>
type Guarded = Pick<Route<never>, 'id' | 'access'>

const MINUTE = 60
const GLOBAL_PER_ADDRESS = 600
const CREDENTIAL_CLASSES = new Set(['credential', 'code'])

const entry = (limit: Limit, key: string, max: number): LimitEntry => ({
  key,
  windowSeconds: MINUTE,
  max,
  guardsCredential: CREDENTIAL_CLASSES.has(limit.class),
})

const digest = (ctx: Pick<GuardCtx, 'hash'>, purpose: string, text: string): string =>
  Buffer.from(ctx.hash(purpose, text)).toString('base64url').slice(0, 22)

const KEPT_ADDRESSES = 10_000
const addressKeys = new WeakMap<GuardCtx['hash'], Map<string, string>>()

/** The key under which an address is counted: a keyed hash, cached. */
export const addressKey = (ctx: Pick<GuardCtx, 'hash'>, address: string): string => {
  const keys = addressKeys.get(ctx.hash) ?? new Map<string, string>()
  addressKeys.set(ctx.hash, keys)
  const known = keys.get(address)
  if (known !== undefined) return known
  const key = digest(ctx, 'limit:address', rateLimitKeyOf(address))
  if (keys.size >= KEPT_ADDRESSES) keys.clear()
  keys.set(address, key)
  return key
}

/** Per address: the route's own limit. */
const routeEntry = (ctx: GuardCtx, { id, access: { limit } }: Guarded, request: RequestInfo): LimitEntry =>
  entry(limit, `r:${id}:${addressKey(ctx, request.address)}`, LIMITS[limit.class].perAddress)

/** Per address: the deployment-wide limit for unauthenticated callers. */
export const anonymousLimitEntry = (ctx: Pick<GuardCtx, 'hash'>, request: RequestInfo): LimitEntry => ({
  key: `a:${addressKey(ctx, request.address)}`,
  windowSeconds: MINUTE,
  max: GLOBAL_PER_ADDRESS,
  guardsCredential: false,
})

/** Per address: the deployment-wide limit and the route's own. */
const addressEntries = (ctx: GuardCtx, route: Guarded, request: RequestInfo): readonly LimitEntry[] =>
  route.access.limit.countedByRule ? [routeEntry(ctx, route, request)] : [anonymousLimitEntry(ctx, request), routeEntry(ctx, route, request)]

/** Name of the cookie that marks a browser in which a person has signed in. */
export const deviceCookie = (secure: boolean): string => (secure ? '__Host-authsec_device' : 'authsec_device')

/**
 * `<random>.<mac>`: proves that this browser has signed in to this account before. The MAC covers the account, so the mark is worthless for another
 * one.
 */
export const deviceCookieValue = (ctx: Pick<GuardCtx, 'hash'>, account: string, random: string): string =>
  `${random}.${Buffer.from(ctx.hash('device', account, random)).toString('base64url')}`

/** The random part of a device mark that is valid for this account. */
export const knownDevice = (ctx: Pick<GuardCtx, 'hash'>, request: RequestInfo, account: string): string | undefined => {
  const cookie = request.cookie(deviceCookie(request.secure))
  const random = cookie?.slice(0, cookie.indexOf('.'))
  if (cookie === undefined || random === undefined || random.length < 16 || cookie.length > 200) return undefined
  return constantTimeEqual(cookie, deviceCookieValue(ctx, account, random)) ? random : undefined
}

/**
 * Limits per account, after parsing. A browser that has signed in to this account before has a budget of its own, so that other callers cannot lock
 * the person out.
 */
export const limitAccount = async (ctx: GuardCtx, route: Pick<Route<never>, 'access'>, request: RequestInfo, body: unknown): Promise<void> => {
  const { limit } = route.access
  if (limit.account === undefined || typeof body !== 'object' || body === null) return
  const named = (body as Readonly<Record<string, unknown>>)[limit.account]
  if (typeof named !== 'string') return
  const account = named.trim().toLowerCase()
  const device = knownDevice(ctx, request, account)
  const key = `c:${limit.class}:${digest(ctx, 'limit:account', account)}${device === undefined ? '' : `:${digest(ctx, 'limit:device', device)}`}`
  await ctx.limits.check([entry(limit, key, LIMITS[limit.class].perAccount)])
}

/** The bearer token of a request, or the error that describes why there is none. Absent and malformed headers have different texts, as in AuthSec. */
const bearer = (request: RequestInfo): string | AppError => {
  const header = request.header('authorization')
  if (header === undefined || header === '') return new AppError('unauthorized', 'authorization header required')
  const [scheme, token, ...rest] = header.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || token === '' || rest.length > 0) {
    return new AppError('unauthorized', 'invalid authorization header format')
  }
  return token
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** @throws AppError unauthorized, invalid_token, not_found */
const requireScraper = ({ config }: GuardCtx, request: RequestInfo): void => {
  const expected = config.METRICS_TOKEN
  if (expected === undefined && config.ENVIRONMENT === 'production') throw new AppError('not_found')
  if (expected === undefined) return
  const presented = bearer(request)
  if (presented instanceof AppError) throw presented
  if (!constantTimeEqual(sha256(presented), sha256(expected))) throw new AppError('invalid_token')
}

/**
 * Identifies a person by the session token. The tenant's quota is counted before any database query: for a known token in the same round trip as the
 * address limits, for a new one as soon as its verified signature names the tenant.
 */
const identifyUser = async (ctx: GuardCtx, entries: readonly LimitEntry[], request: RequestInfo): Promise<User> => {
  const presented = bearer(request)
  const knownTenant = presented instanceof AppError ? undefined : ctx.principals.tenantOf(presented)
  await ctx.limits.check(knownTenant === undefined ? entries : [...entries, ctx.quotas.entry(knownTenant, 'requestsPerMinute')])
  if (presented instanceof AppError) throw presented
  return ctx.principals.resolve(presented, async (tenantId) => {
    if (knownTenant === undefined) await ctx.limits.check([ctx.quotas.entry(tenantId, 'requestsPerMinute')])
  })
}

/**
 * Identifies a client by its secret. A cached client is bounded only by the route's limit and its tenant's quota, because all requests of a company
 * may come from one address. Any other caller counts as unauthenticated until the secret is verified.
 */
const identifyClient = async (ctx: GuardCtx, route: Guarded, requested: readonly Permission[], request: RequestInfo): Promise<Client> => {
  const presented = basicCredentials(request)
  const knownTenant = presented instanceof AppError ? undefined : ctx.clientAuthentication.tenantOf(presented)
  await ctx.limits.check(
    knownTenant === undefined
      ? addressEntries(ctx, route, request)
      : [routeEntry(ctx, route, request), ctx.quotas.entry(knownTenant, 'requestsPerMinute')],
  )
  if (presented instanceof AppError) throw presented
  const client = await ctx.clientAuthentication.authenticate(presented, requested)
  if (knownTenant === undefined) await ctx.limits.check([ctx.quotas.entry(client.tenantId, 'requestsPerMinute')])
  return client
}

/** Identifies a workload by the proof of its X.509-SVID. Its tenant's quota is counted as soon as the proof names the tenant. */
const identifyWorkload = async (ctx: GuardCtx, entries: readonly LimitEntry[], request: RequestInfo): Promise<Workload> => {
  await ctx.limits.check(entries)
  const workload = await ctx.workloadAuthentication.authenticate(request)
  await ctx.limits.check([ctx.quotas.entry(workload.tenantId, 'requestsPerMinute')])
  return workload
}

/**
 * Identifies a person by the browser's session. An ended session counts as none: the person is asked to sign in and sees no token error.
 * @throws AppError rate_limited, quota_exceeded, cross_site, sign_in_required
 */
const identifyBrowser = async (
  ctx: GuardCtx,
  entries: readonly LimitEntry[],
  isRequired: boolean,
  request: RequestInfo,
): Promise<User | undefined> => {
  const token = sessionToken({ request })
  await ctx.limits.check(entries)
  if (request.method !== 'GET' && request.method !== 'HEAD') requireOwnPage(ctx, request)
  const found =
    token === undefined
      ? undefined
      : await ctx.principals
          .resolve(token, (tenantId) => ctx.limits.check([ctx.quotas.entry(tenantId, 'requestsPerMinute')]))
          .catch((error: unknown) => {
            if (error instanceof AppError && error.code === 'invalid_token') return undefined
            throw error
          })
  if (found === undefined && isRequired) throw new AppError('sign_in_required')
  return found
}

/**
 * Identifies the caller as the route's access rule requires, within the rate limits.
 * @throws AppError rate_limited, quota_exceeded, unauthorized, invalid_token, client_authentication_failed, not_found, cross_site, sign_in_required
 */
export const authenticateCaller = async (ctx: GuardCtx, route: Guarded, request: RequestInfo): Promise<Caller | undefined> => {
  const { access } = route
  if (access.rule === 'client' && !(access.orUser && !usesBasicAuth(request))) return identifyClient(ctx, route, access.all, request)
  const entries = addressEntries(ctx, route, request)
  if (access.rule === 'workload') return identifyWorkload(ctx, entries, request)
  if (access.rule === 'page' || access.rule === 'browser') return identifyBrowser(ctx, entries, access.rule === 'browser', request)
  const isAnonymous = access.rule === 'userOrNobody' && !request.header('authorization')
  if (access.rule !== 'open' && access.rule !== 'metrics' && !isAnonymous) return identifyUser(ctx, entries, request)
  await ctx.limits.check(entries)
  if (access.rule === 'metrics') requireScraper(ctx, request)
  return undefined
}

/**
 * Checks that the caller may use the route. Separate from `identify`, so that a refusal can name the caller. On routes for both clients and people,
 * the rule itself checks a person's permissions.
 * @throws AppError insufficient_scope, insufficient_user_authentication, password_change_required
 */
export const authorize = (ctx: Pick<GuardCtx, 'clock'>, { access }: Pick<Guarded, 'access'>, caller: Caller): void => {
  const allowsTemporaryPassword =
    access.rule === 'page' || ((access.rule === 'user' || access.rule === 'browser') && access.withTemporaryPassword === true)
  if (caller.kind === 'user' && caller.passwordChangeRequired && !allowsTemporaryPassword) {
    throw new AppError('password_change_required')
  }
  if (access.rule === 'permission' || (access.rule === 'client' && caller.kind === 'client')) {
    const missing = access.all.find((permission) => !caller.permissions.has(permission))
    if (missing !== undefined) throw new AppError('insufficient_scope', `The permission ${missing} is missing.`)
  }
  if ((access.rule === 'permission' || access.rule === 'user' || access.rule === 'browser') && caller.kind === 'user') {
    requireStepUp(ctx, caller, access.stepUp)
  }
}
