// Optional protection against replayed sign-in requests: a server challenge, or a nonce with a time stamp. A submitted value is checked and marked as used in the same step.

import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'

const CHALLENGE_SECONDS = 300
const SKEW_SECONDS = 60
/** As long as the time stamp of a request is accepted, plus the second that both limits share. */
const NONCE_SECONDS = 2 * SKEW_SECONDS + 1

type Deps = Pick<RequestCtx, 'cache' | 'clock' | 'hash' | 'random'>

export type ReplayProof = {
  readonly nonce?: string | undefined
  readonly timestamp?: number | undefined
  readonly challenge?: string | undefined
  readonly signature?: string | undefined
}

const key = (ctx: Deps, kind: string, text: string): string => `${kind}:${Buffer.from(ctx.hash(`replay:${kind}`, text)).toString('base64url')}`

/** A challenge for one sign-in, valid for five minutes. */
export const createChallenge = async (ctx: Deps): Promise<{ challenge: string; expires_at: number; created_at: number }> => {
  const challenge = ctx.random.id()
  const created = Math.floor(ctx.clock.now().getTime() / 1000)
  await ctx.cache.put(key(ctx, 'challenge', challenge), randomToken(ctx.random), CHALLENGE_SECONDS)
  return { challenge, expires_at: created + CHALLENGE_SECONDS, created_at: created }
}

const refuse = (hint: string): never => {
  throw new AppError('request_validation_failed', undefined, { extra: { hint } })
}

/**
 * For tenants that require a challenge. Disclosed only after the correct password, because the tenant may have been found by the address. @throws AppError
 * request_validation_failed
 */
export const requireChallenge = (proof: ReplayProof): void => {
  if (proof.challenge === undefined) refuse('A challenge is required.')
}

/** @throws AppError request_validation_failed, signature_unsupported */
export const checkReplay = async (ctx: Deps, proof: ReplayProof): Promise<void> => {
  if (proof.signature !== undefined) throw new AppError('signature_unsupported', undefined, { field: 'body.signature' })
  if (proof.timestamp !== undefined && Math.abs(ctx.clock.now().getTime() / 1000 - proof.timestamp) > SKEW_SECONDS)
    refuse('The time stamp is too far from now.')
  if (proof.nonce !== undefined && !(await ctx.cache.putIfAbsent(key(ctx, 'nonce', proof.nonce), '1', NONCE_SECONDS)))
    refuse('The nonce was used before.')
  if (proof.challenge !== undefined && (await ctx.cache.take(key(ctx, 'challenge', proof.challenge))) === undefined) {
    refuse('The challenge is unknown, used or expired.')
  }
}
