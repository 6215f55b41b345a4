// A client's backend is told that somebody signed out (OpenID Connect Back-Channel Logout 1.0): a logout token, signed when it is sent, under an id that stays.
import { SignJWT } from 'jose'
import type { TenantDb } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { FetchFailure, type Outbound } from '#shared/platform/fetch/guarded'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Section 2.4: at most two minutes. */
const TOKEN_SECONDS = 120

type Deps = Pick<BaseCtx, 'config' | 'clock' | 'signingKeys'> & { readonly outbound: Outbound }
export type SignedOut = { readonly userId: string; readonly sessionId: string; readonly audience: string; readonly tokenId: string }

export const logoutToken = async (ctx: Omit<Deps, 'outbound'>, { userId, sessionId, audience, tokenId }: SignedOut): Promise<string> => {
  const iat = unixSeconds(ctx.clock.now())
  const { kid, key } = await ctx.signingKeys.signer('RS256')
  const claims = {
    iss: ctx.config.BASE_URL,
    sub: userId,
    aud: audience,
    iat,
    exp: iat + TOKEN_SECONDS,
    jti: tokenId,
    sid: sessionId,
    events: { [EVENT]: {} },
  }
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'logout+jwt' }).sign(key)
}

/** Tells once. A client that is gone, or wants no word any more, is told nothing. @throws AppError delivery_failed */
export const notifySignedOut = async (ctx: Deps, t: TenantDb, id: string, data: Readonly<Record<string, string>>): Promise<void> => {
  const { client_id: clientId = '', user_id: userId = '', session_id: sessionId = '' } = data
  const client = await findClient(t, clientId)
  const uri = client?.backchannelLogoutUri ?? null
  if (client === undefined || uri === null || !client.active || client.deletedAt !== null) return
  const token = await logoutToken(ctx, { userId, sessionId, audience: client.metadataUrl ?? clientId, tokenId: id })
  const body = new URLSearchParams({ logout_token: token }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'authsec-back-channel-logout' }
  try {
    const { status } = await ctx.outbound.send({ url: uri, method: 'POST', headers, body })
    if (status < 200 || status > 299) throw new AppError('delivery_failed')
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error
    throw new AppError('delivery_failed', undefined, {}, error)
  }
}
