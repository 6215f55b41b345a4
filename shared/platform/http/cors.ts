// Which origins a browser may call from: configured ones, our own, and verified custom domains of tenants. Compared as parsed origins, never by
// substring.

import { directory } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import type { PlatformCtx } from '#shared/platform/context'
import { addressKey } from './guard.ts'

const METHODS = 'GET, POST, PUT, PATCH, DELETE, OPTIONS'
const ALLOW =
  'Authorization, Content-Type, Accept, X-Requested-With, X-Login-Ticket, tenant_id, Client-Id, X-Client-ID, X-App-Name, DPoP, If-Match, MCP-Protocol-Version'
const EXPOSE = 'X-Request-ID, Retry-After, WWW-Authenticate, DPoP-Nonce, ETag, Link'
const MAX_AGE_SECONDS = 12 * 3600
/** An origin that a tenant no longer has is refused within two seconds; one that is new is allowed within half a minute. */
const ALLOWED_MS = 1000
const UNKNOWN_MS = 30_000
const REMEMBERED_ORIGINS = 1000
/** Database look-ups per address and minute: the caller can invent the header, and no other limit has applied yet. */
const LOOKUPS_PER_MINUTE = 30

export type Origins = {
  /** Whether credentialed requests from this origin are allowed. A database look-up counts against `address`. */
  allowed(origin: string, address: string): Promise<boolean>
  /** Whether this deployment serves the host: our own, a configured one, or a tenant's. A database look-up counts against `address`. */
  serves(host: string, address: string): Promise<boolean>
  /** Whether the origin is ours or a configured one, not a tenant's custom domain. */
  isPlatform(origin: string): boolean
}

const parsed = (origin: string): URL | undefined => {
  try {
    const url = new URL(origin)
    return url.origin === origin && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined
  } catch {
    return undefined
  }
}

/**
 * Paths that pages of any origin may call, as browser-based clients do: metadata, and endpoints that take their own proof. None of them uses a
 * cookie, and `*` prevents browsers from sending one.
 */
const FOR_ANY_PAGE =
  /^(?:(?:\/authsec(?:\/oauth)?)?\/\.well-known\/.+|\/oauth2?\/(?:jwks|token|revoke|userinfo|par|device_authorization|register(?:\/[\w-]+)?))$/
export const allowsAnyOrigin = (path: string): boolean => FOR_ANY_PAGE.test(path)
/** RFC 1035 section 2.3.4 */
const MAX_DOMAIN = 253
/** A host as in the header: a lower-case name with an optional port. */
const HOST = /^[a-z0-9.-]+(:\d{1,5})?$/
const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

export const createOrigins = (ctx: Pick<PlatformCtx, 'config' | 'db' | 'clock' | 'limits' | 'hash'>): Origins => {
  const { config } = ctx
  const own = new Set(
    [config.BASE_URL, config.PUBLIC_UI_ORIGIN, ...config.CORS_ALLOWED_ORIGINS].flatMap((o) => (o ? [parsed(o.replace(/\/+$/, ''))?.origin] : [])),
  )
  const development = config.ENVIRONMENT !== 'production'
  const remembered = new Map<string, { readonly yes: boolean; readonly since: ClockReading }>()
  const isPlatform = (origin: string): boolean => {
    const url = parsed(origin)
    return url !== undefined && (own.has(url.origin) || (development && LOCAL_HOSTS.has(url.hostname)))
  }
  const isTenants = async (url: URL, address: string): Promise<boolean> => {
    const known = remembered.get(url.host)
    if (known !== undefined && ageMs(ctx.clock, known.since) < (known.yes ? ALLOWED_MS : UNKNOWN_MS)) return known.yes
    // Only names that callers invent are counted: a tenant's own origin is read again once a second, however many people use it.
    if (known?.yes !== true)
      await ctx.limits.check([{ key: `o:${addressKey(ctx, address)}`, windowSeconds: 60, max: LOOKUPS_PER_MINUTE, guardsCredential: false }])
    const since = readClock(ctx.clock)
    const yes = (await findTenantByDomain(directory(ctx.db), url.hostname)) !== undefined
    if (remembered.size >= REMEMBERED_ORIGINS) remembered.clear()
    remembered.set(url.host, { yes, since })
    return yes
  }
  const hosts = new Set([
    ...config.HOSTS,
    ...[config.BASE_URL, config.PUBLIC_UI_ORIGIN].flatMap((one) => (one === undefined || !URL.canParse(one) ? [] : [new URL(one).host])),
  ])
  const serves = async (host: string, address: string): Promise<boolean> => {
    const url = HOST.test(host) ? parsed(`https://${host}`) : undefined
    if (hosts.has(host)) return true
    if (url === undefined || url.port !== '' || url.hostname.length > MAX_DOMAIN) return false
    return url.hostname.endsWith(`.${config.TENANT_DOMAIN_SUFFIX}`) || isTenants(url, address)
  }
  return {
    isPlatform,
    serves,
    allowed: async (origin, address) => {
      if (isPlatform(origin)) return true
      const url = parsed(origin)
      if (url === undefined || url.port !== '' || url.protocol !== 'https:' || url.hostname.length > MAX_DOMAIN) return false
      return isTenants(url, address)
    },
  }
}

/** `*` allows any page, without cookies. */
export const corsHeaders = (origin: string): Readonly<Record<string, string>> => ({
  'access-control-allow-origin': origin,
  ...(origin === '*' ? {} : { 'access-control-allow-credentials': 'true' }),
  'access-control-expose-headers': EXPOSE,
})

export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': METHODS,
  'access-control-allow-headers': ALLOW,
  'access-control-max-age': String(MAX_AGE_SECONDS),
}
