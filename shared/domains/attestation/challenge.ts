// Stateless challenges for proofs of possession: a proof that contains one is at most five minutes old.
import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { SKEW_SECONDS } from './evidence-jws.ts'

export const CHALLENGE_SECONDS = 300
type Deps = Pick<BaseCtx, 'hash' | 'clock'>

const challengeAt = ({ hash }: Pick<Deps, 'hash'>, seconds: number): string => {
  const time = seconds.toString(36)
  return `${time}.${Buffer.from(hash('attestation-challenge', time)).toString('base64url')}`
}

/** The same for every tenant: the audience of a proof names the tenant and the key. */
export const newChallenge = (ctx: Deps): string => challengeAt(ctx, unixSeconds(ctx.clock.now()))

export const isChallenge = (ctx: Deps, value: unknown): boolean => {
  if (typeof value !== 'string') return false
  const seconds = Number.parseInt(value.split('.')[0] ?? '', 36)
  const age = unixSeconds(ctx.clock.now()) - seconds
  return Number.isSafeInteger(seconds) && age >= -SKEW_SECONDS && age <= CHALLENGE_SECONDS && constantTimeEqual(value, challengeAt(ctx, seconds))
}
