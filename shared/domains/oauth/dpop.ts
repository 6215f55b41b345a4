// Demonstrating proof of possession (RFC 9449) at our own endpoints: a nonce or the clock proves that a proof is recent, and each is accepted once.

import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { digest, type Proof, readProof } from './dpop-proof.ts'

/** The tolerated clock difference of a proof without a nonce. With our nonce its age is known regardless of its clock. */
const WINDOW_SECONDS = 60
const NONCE_SECONDS = 300

type Deps = Pick<BaseCtx, 'config' | 'clock' | 'hash' | 'cache'> & { readonly request: RequestInfo }

const nonceAt = (ctx: Pick<Deps, 'hash'>, seconds: number): string => {
  const time = seconds.toString(36)
  return `${time}.${Buffer.from(ctx.hash('dpop-nonce', time)).toString('base64url')}`
}

/** A stateless nonce that shows that a proof is less than five minutes old. */
export const dpopNonce = (ctx: Pick<Deps, 'hash' | 'clock'>): string => nonceAt(ctx, unixSeconds(ctx.clock.now()))

const isFreshNonce = (ctx: Deps, nonce: string, now: number): boolean => {
  const seconds = Number.parseInt(nonce.split('.')[0] ?? '', 36)
  const age = now - seconds
  return Number.isSafeInteger(seconds) && age >= -WINDOW_SECONDS && age <= NONCE_SECONDS && constantTimeEqual(nonce, nonceAt(ctx, seconds))
}

const isYoung = (ctx: Deps, { iat, nonce }: Proof, now: number): boolean =>
  nonce === undefined ? Math.abs(now - iat) <= WINDOW_SECONDS : isFreshNonce(ctx, nonce, now)

export type ProvedRequest = {
  readonly method: string
  /** Path and query that were called. */
  readonly target: string
  /** The access token that is presented with the proof at a resource (`ath`). */
  readonly token?: string
}

/**
 * The thumbprint of the key that signed the request's proof; undefined without a proof.
 * @throws AppError invalid_dpop_proof, use_dpop_nonce
 * @see RFC 9449 section 4.3
 */
export const proofKey = async (ctx: Deps, { method, target, token }: ProvedRequest): Promise<string | undefined> => {
  const presented = ctx.request.header('dpop')
  if (presented === undefined) return undefined
  const { origin, pathname } = new URL(`${ctx.config.BASE_URL}${target}`)
  const proof = await readProof(presented, { method, url: `${origin}${pathname}`, token })
  if (proof === undefined) throw new AppError('invalid_dpop_proof')
  const now = unixSeconds(ctx.clock.now())
  if (!isYoung(ctx, proof, now)) throw new AppError('use_dpop_nonce', undefined, { headers: { 'DPoP-Nonce': nonceAt(ctx, now) } })
  const isFirst = await ctx.cache.putIfAbsent(`dpop:${await digest(`${proof.jkt} ${proof.jti}`)}`, '1', NONCE_SECONDS + 2 * WINDOW_SECONDS)
  if (!isFirst) throw new AppError('invalid_dpop_proof')
  return proof.jkt
}
