// The state of a federated flow: bound to the browser by a cookie, to the provider by its issuer, to the code by a digest; valid once, for ten minutes.

import { asTenantId, atomically, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import type { FederationAction, FederationPage, FederationState, FederationStateKey } from '#db/store/federation-states'
import { insertFederationState } from '#db/store/federation-states'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { type AuthorizationFlow, startFlow } from '#shared/domains/federation/engine/engine'
import type { Upstream } from '#shared/domains/federation/upstream'
import { upstreamClientOf } from '#shared/domains/federation/upstream-client'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { splitHandle } from '#shared/kernel/ids'
import { randomToken } from '#shared/kernel/random'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

const STATE_SECONDS = 600
const BROWSER = /^[\w-]{43}$/

const cookieName = (secure: boolean): string => `${secure ? '__Host-' : ''}authsec_oidc`
const browserOf = (ctx: Ctx): string | undefined => {
  const value = ctx.request.cookie(cookieName(ctx.request.secure))
  return value !== undefined && BROWSER.test(value) ? value : undefined
}

const hashes = (ctx: Ctx, state: string, browser: string): FederationStateKey => ({
  stateHash: ctx.hash('federation:state', state),
  browserHash: ctx.hash('federation:browser', browser),
})
/** The digest includes the state, so that a code of one flow cannot be used in another. */
export const codeHash = (ctx: Ctx, state: string, code: string): Uint8Array => ctx.hash('federation:code', state, code)

/** Locates a state by its text and the cookie of this browser. */
export const locateFederationState = (ctx: Ctx, state: string): { readonly t: TenantDb; readonly key: FederationStateKey } | undefined => {
  const tenantId = splitHandle(state)?.id
  const browser = browserOf(ctx)
  if (tenantId === undefined || browser === undefined) return undefined
  return { t: forTenant(ctx.db, asTenantId(tenantId)), key: hashes(ctx, state, browser) }
}

/** Concurrent flows of a browser share one cookie. It is SameSite=None only when the caller is on another site. */
const browserCookie = (ctx: Ctx, value: string): Cookie => {
  const { origin, secure } = ctx.request
  const crosses = secure && origin !== undefined && new URL(origin).hostname !== new URL(ctx.config.BASE_URL).hostname
  return { name: cookieName(secure), value, maxAgeSeconds: STATE_SECONDS, sameSite: crosses ? 'None' : 'Lax' }
}

export type FlowStart = {
  /** The tenant of the flow, or the system tenant when it is not known yet. */
  readonly tenantId: TenantId
  readonly action: FederationAction
  readonly upstream: Upstream
  readonly origin: string
  readonly redirectAfter: string | undefined
  readonly tenantDomain?: string
  readonly userId?: string
  readonly sessionId?: string
  /** The pending authorization request, on a tenant's own front end. */
  readonly loginChallenge?: string
  /** The client whose sign-in it is. */
  readonly forClientId?: string | undefined
  /** Set for a flow on a hosted page, which continues it; the redirect URI is then on the host of that page. */
  readonly page?: FederationPage
}
export type StartedRedirect = { readonly redirectUrl: string; readonly state: string; readonly cookie: Cookie }

const secretsContext = (id: string): string => `federation_states:${id}`

/** The class of an error at a provider. Its text is not logged, because the provider controls it. */
export const errorClassOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown'
  const inner = error.cause instanceof Error ? ` / ${error.cause.name}` : ''
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  return `${error.name}${code}${inner}`
}

/** Stores a state and returns the redirect for the browser. @throws AppError provider_unavailable */
export const startRedirectFlow = async (ctx: Ctx, start: FlowStart): Promise<StartedRedirect> => {
  const { upstream, tenantId } = start
  const [id, verifier, nonce] = [ctx.random.id(), `${randomToken(ctx.random)}${randomToken(ctx.random)}`.slice(0, 64), randomToken(ctx.random)]
  const state = `${tenantId}.${randomToken(ctx.random)}`
  const browser = browserOf(ctx) ?? randomToken(ctx.random)
  const peer = await upstreamClientOf(ctx, upstream)
  const redirectUri = callbackUrl(start.page === undefined ? ctx.config.BASE_URL : start.origin)
  const started = await startFlow(ctx, peer, { state, redirectUri, verifier, nonce }).catch((error: unknown) => {
    ctx.log.warn('federation.unavailable', { tenant_id: tenantId, provider: upstream.name, error: errorClassOf(error) })
    throw new AppError('provider_unavailable', undefined, { retryAfterSeconds: 30 })
  })
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const now = ctx.clock.now()
    await insertFederationState(t, {
      id,
      ...hashes(ctx, state, browser),
      action: start.action,
      provider: upstream.name,
      isOwnProvider: upstream.isOwn,
      issuer: started.issuer,
      clientId: peer.clientId,
      announcesIssuer: started.announcesIssuer,
      origin: start.origin,
      redirectAfter: start.redirectAfter ?? null,
      redirectUri,
      page: start.page ?? null,
      loginChallenge: start.loginChallenge ?? null,
      forClientId: start.forClientId ?? null,
      tenantDomain: start.tenantDomain ?? null,
      sealedSecrets: await ctx.keyring.seal(t, t.tenantId, JSON.stringify([verifier, nonce]), secretsContext(id)),
      userId: start.userId ?? null,
      sessionId: start.sessionId ?? null,
      createdAt: now,
      expiresAt: secondsAfter(now, STATE_SECONDS),
    })
  })
  return { redirectUrl: started.url, state, cookie: browserCookie(ctx, browser) }
}

/** Restores the flow's secrets to verify the response. */
export const restoreAuthorizationFlow = async (ctx: Ctx, t: TenantDb, row: FederationState, state: string): Promise<AuthorizationFlow> => {
  const opened = await ctx.keyring.open(t, t.tenantId, row.sealedSecrets, secretsContext(row.id))
  const [verifier, nonce]: unknown[] = JSON.parse(opened ?? '[]')
  if (typeof verifier !== 'string' || typeof nonce !== 'string') throw new Error('The secrets of a federation state are missing.')
  return { state, redirectUri: row.redirectUri, verifier, nonce }
}
