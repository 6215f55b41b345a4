// PKCE verifiers that a front end stores with us: in an HttpOnly cookie of the browser that created them, so that a stolen code and state are useless without it,
// and no other site can set one.

import type { RequestCtx } from '#shared/domains/context'
import { isCrossSite } from '#shared/domains/login-transaction/login-transaction'
import { hostCookie } from '#shared/platform/http/pages/visit'
import type { Cookie } from '#shared/platform/http/route'

const KEPT_SECONDS = 1800
const VERIFIER = /^[\w.~-]{43,128}$/

type Deps = Pick<RequestCtx, 'config' | 'hash' | 'request'>
/** `of`: a state, or a login challenge. */
const nameOf = ({ hash, request }: Deps, of: string): string =>
  hostCookie(`pkce_${Buffer.from(hash('oauth:pkce', of)).toString('base64url').slice(0, 22)}`, request.secure)

export const readVerifierCookie = (ctx: Deps, of: string): string | undefined => {
  const value = ctx.request.cookie(nameOf(ctx, of))
  return value !== undefined && VERIFIER.test(value) ? value : undefined
}

export const verifierCookie = (ctx: Deps, of: string, verifier: string): Cookie => ({
  name: nameOf(ctx, of),
  value: verifier,
  maxAgeSeconds: KEPT_SECONDS,
  sameSite: isCrossSite(ctx) ? 'None' : 'Lax',
})
export const spentVerifierCookie = (ctx: Deps, of: string): Cookie => ({ ...verifierCookie(ctx, of, ''), maxAgeSeconds: 0 })
