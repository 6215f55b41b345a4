// Decides an access rule: who is calling, whether they may, and whether they call too often. Runs before anything of the request is parsed.
import { createHash } from 'node:crypto'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { limitKeyOf } from '#shared/kernel/ip-address'
import type { PlatformCtx } from '#shared/platform/context'
import { equal } from '#shared/platform/crypto/equal'
import type { Caller, Client, Permission, User } from '#shared/platform/principals/principal'
import { LIMITS, type Limit } from './access.ts'
import { basicCredentials, choseBasic } from './basic.ts'
import type { LimitEntry } from './limits.ts'
import { requireOwnPage } from './pages/form.ts'
import { sessionToken } from './pages/session.ts'
import type { Route } from './route.ts'
import { requireStepUp } from './step-up.ts'

type GuardCtx = Pick<PlatformCtx, 'config' | 'limits' | 'quotas' | 'principals' | 'clientAuthentication' | 'clock' | 'hash'>
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

/** What an address is counted by: a keyed hash of it, made once. */
export const addressKey = (ctx: Pick<GuardCtx, 'hash'>, address: string): string => {
  const keys = addressKeys.get(ctx.hash) ?? new Map<string, string>()
  addressKeys.set(ctx.hash, keys)
  const known = keys.get(address)
  if (known !== undefined) return known
  const key = digest(ctx, 'limit:address', limitKeyOf(address))
  if (keys.size >= KEPT_ADDRESSES) keys.clear()
  keys.set(address, key)
  return key
}

/** Per address: the route's own ceiling. */
const routeEntry = (ctx: GuardCtx, { id, access: { limit } }: Guarded, request: RequestInfo): LimitEntry =>
  entry(limit, `r:${id}:${addressKey(ctx, request.address)}`, LIMITS[limit.class].perAddress)

/** Per address: the whole deployment's ceiling, for whoever is not proved to be somebody. */
export const strangersEntry = (ctx: Pick<GuardCtx, 'hash'>, request: RequestInfo): LimitEntry => ({
  key: `a:${addressKey(ctx, request.address)}`,
  windowSeconds: MINUTE,
  max: GLOBAL_PER_ADDRESS,
  guardsCredential: false,
})

/** Per address: the whole deployment's ceiling, and the route's own. */
const addressEntries = (ctx: GuardCtx, route: Guarded, request: RequestInfo): readonly LimitEntry[] =>
  route.access.limit.countedByRule ? [routeEntry(ctx, route, request)] : [strangersEntry(ctx, request), routeEntry(ctx, route, request)]

/** Name of the cookie that marks a browser from which somebody has signed in. */
export const deviceCookie = (secure: boolean): string => (secure ? '__Host-authsec_device' : 'authsec_device')

/** `<random>.<mac>`: proves that this browser signed in as this account before. The mac binds it to the account, so it is worthless for another. */
export const deviceMark = (ctx: Pick<GuardCtx, 'hash'>, account: string, random: string): string =>
  `${random}.${Buffer.from(ctx.hash('device', account, random)).toString('base64url')}`

/** The random half of a device mark that is genuine for this account. */
export const knownDevice = (ctx: Pick<GuardCtx, 'hash'>, request: RequestInfo, account: string): string | undefined => {
  const cookie = request.cookie(deviceCookie(request.secure))
  const random = cookie?.slice(0, cookie.indexOf('.'))
  if (cookie === undefined || random === undefined || random.length < 16 || cookie.length > 200) return undefined
  return equal(cookie, deviceMark(ctx, account, random)) ? random : undefined
}

/** Per account, after parsing. A browser that signed in as this account before has a budget of its own, so that strangers cannot lock the person out. */
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

/** The bearer token of a request, or why there is none. Absent and malformed are told apart, as AuthSec does. */
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
  if (!equal(sha256(presented), sha256(expected))) throw new AppError('invalid_token')
}

/**
 * A person by the session token. The tenant's quota is counted before anything is asked of the database: for a token that was seen before in the same round
 * trip as the address, for a new one as soon as its signature has said whose it is.
 */
const identifyUser = async (ctx: GuardCtx, entries: readonly LimitEntry[], request: RequestInfo): Promise<User> => {
  const presented = bearer(request)
  const seen = presented instanceof AppError ? undefined : ctx.principals.tenantOf(presented)
  await ctx.limits.check(seen === undefined ? entries : [...entries, ctx.quotas.entry(seen, 'requestsPerMinute')])
  if (presented instanceof AppError) throw presented
  return ctx.principals.resolve(presented, async (tenantId) => {
    if (seen === undefined) await ctx.limits.check([ctx.quotas.entry(tenantId, 'requestsPerMinute')])
  })
}

/**
 * A backend by its client's secret. One that is remembered is bounded by its route and its tenant's quota alone: all of a company's requests may come from one
 * address. Whoever is not is a stranger until he is proved, and counted as one.
 */
const identifyClient = async (ctx: GuardCtx, route: Guarded, asked: readonly Permission[], request: RequestInfo): Promise<Client> => {
  const presented = basicCredentials(request)
  const seen = presented instanceof AppError ? undefined : ctx.clientAuthentication.tenantOf(presented)
  await ctx.limits.check(
    seen === undefined ? addressEntries(ctx, route, request) : [routeEntry(ctx, route, request), ctx.quotas.entry(seen, 'requestsPerMinute')],
  )
  if (presented instanceof AppError) throw presented
  const client = await ctx.clientAuthentication.authenticate(presented, asked)
  if (seen === undefined) await ctx.limits.check([ctx.quotas.entry(client.tenantId, 'requestsPerMinute')])
  return client
}

/**
 * A person by the browser's session. A session that is over is none: whoever had it is asked to sign in, not told that a token is wrong.
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
 * Who is calling, as the route's rule asks, if not too often.
 * @throws AppError rate_limited, quota_exceeded, unauthorized, invalid_token, client_authentication_failed, not_found, cross_site, sign_in_required
 */
export const identify = async (ctx: GuardCtx, route: Guarded, request: RequestInfo): Promise<Caller | undefined> => {
  const { access } = route
  if (access.rule === 'client' && !(access.orUser && !choseBasic(request))) return identifyClient(ctx, route, access.all, request)
  const entries = addressEntries(ctx, route, request)
  if (access.rule === 'page' || access.rule === 'browser') return identifyBrowser(ctx, entries, access.rule === 'browser', request)
  const nobody = access.rule === 'userOrNobody' && !request.header('authorization')
  if (access.rule !== 'open' && access.rule !== 'metrics' && !nobody) return identifyUser(ctx, entries, request)
  await ctx.limits.check(entries)
  if (access.rule === 'metrics') requireScraper(ctx, request)
  return undefined
}

/**
 * Whether that caller may. Apart from `identify`, so that a refusal is known by name. Where backends and people may call, what people may is the rule's to say.
 * @throws AppError insufficient_scope, insufficient_user_authentication, password_change_required
 */
export const authorize = (ctx: Pick<GuardCtx, 'clock'>, { access }: Pick<Guarded, 'access'>, caller: Caller): void => {
  const servesAll = access.rule === 'page' || ((access.rule === 'user' || access.rule === 'browser') && access.withTemporaryPassword === true)
  if (caller.kind === 'user' && caller.passwordChangeRequired && !servesAll) {
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
