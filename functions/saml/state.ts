// Pending requests: identified by RelayState, bound by a cookie to the browser that began them, valid for ten minutes, single use.

import { asTenantId, atomically, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import type { SamlProvider } from '#db/store/saml-providers'
import { findSamlRequest, insertSamlRequest, type NewSamlRequest, type SamlRequest, type SamlRequestKey } from '#db/store/saml-requests'
import { secondsAfter } from '#shared/kernel/clock'
import { splitHandle } from '#shared/kernel/ids'
import { randomToken } from '#shared/kernel/random'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import { ensureSamlKeys, openSamlKey, samlSigningKeyOf } from './keys.ts'
import { clientAcsOf, entityIdOf } from './service-provider.ts'

const REQUEST_SECONDS = 600
const BROWSER = /^[\w-]{43}$/

const cookieName = (secure: boolean): string => `${secure ? '__Host-' : ''}authsec_saml`
const browserOf = (ctx: Ctx): string | undefined => {
  const value = ctx.request.cookie(cookieName(ctx.request.secure))
  return value !== undefined && BROWSER.test(value) ? value : undefined
}
/** The response is a cross-site POST, so over TLS the cookie needs SameSite=None; without TLS browsers reject that, and only a provider on the same machine works. */
const browserCookie = (ctx: Ctx, value: string): Cookie => ({
  name: cookieName(ctx.request.secure),
  value,
  maxAgeSeconds: REQUEST_SECONDS,
  sameSite: ctx.request.secure ? 'None' : 'Lax',
})

const keyOf = (ctx: Ctx, relayState: string, browser: string): SamlRequestKey => ({
  relayHash: ctx.hash('saml:relay', relayState),
  browserHash: ctx.hash('saml:browser', browser),
})

export type LocatedSamlRequest = { readonly t: TenantDb; readonly key: SamlRequestKey; readonly request: SamlRequest }

/** Whether a RelayState is ours: an IdP-initiated response may contain any text. */
export const isRelayState = (relayState: string | undefined): relayState is string => splitHandle(relayState) !== undefined

/** The request that this browser began with that RelayState. */
export const locateSamlRequest = async (ctx: Ctx, relayState: string): Promise<LocatedSamlRequest | undefined> => {
  const [tenantId, browser] = [splitHandle(relayState)?.id, browserOf(ctx)]
  if (tenantId === undefined || browser === undefined) return undefined
  const [t, key] = [forTenant(ctx.db, asTenantId(tenantId)), keyOf(ctx, relayState, browser)]
  const request = await findSamlRequest(t, key, ctx.clock.now())
  return request === undefined ? undefined : { t, key, request }
}

export type SamlRequestStart = Pick<NewSamlRequest, 'clientId' | 'origin' | 'loginChallenge' | 'page'> & {
  readonly tenantId: TenantId
  readonly provider: SamlProvider
}
export type StartedSamlRequest = { readonly url: string; readonly samlRequest: string; readonly relayState: string; readonly cookie: Cookie }

/** Stores a request and returns where to redirect the browser. Routes that call this emit `saml_key.created`. */
export const startSamlRequest = async (ctx: Ctx, { tenantId, provider, ...rest }: SamlRequestStart): Promise<StartedSamlRequest> => {
  const [id, relayState, browser, now] = [
    ctx.random.id(),
    `${tenantId}.${randomToken(ctx.random)}`,
    browserOf(ctx) ?? randomToken(ctx.random),
    ctx.clock.now(),
  ]
  const t = forTenant(ctx.db, tenantId)
  const requestId = `_${id}`
  const key = provider.signsRequests ? samlSigningKeyOf(await ensureSamlKeys(ctx, tenantId)) : undefined
  const service = { tenantId, clientId: provider.clientId }
  const { authnRequest } = await import('./engine/authn-request.ts')
  const { url, samlRequest } = await authnRequest({
    ssoUrl: provider.ssoUrl,
    entityId: entityIdOf(ctx, service),
    acsUrl: clientAcsOf(ctx, service),
    nameIdFormat: provider.nameIdFormat,
    id: requestId,
    relayState,
    privateKey: key === undefined ? undefined : await openSamlKey(ctx, t, key),
  })
  await atomically(t, (tx) =>
    insertSamlRequest(tx, {
      ...rest,
      ...keyOf(ctx, relayState, browser),
      id,
      requestId,
      providerId: provider.id,
      createdAt: now,
      expiresAt: secondsAfter(now, REQUEST_SECONDS),
    }),
  )
  return { url, samlRequest, relayState, cookie: browserCookie(ctx, browser) }
}
