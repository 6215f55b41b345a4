// Decides, as a pure function, how a set of signing keys must change at a given time.
import { secondsAfter } from '#shared/kernel/clock'
import type { Alg } from './signing-key.ts'

const DAY = 24 * 3600
/** Time for which a key signs. */
export const KEY_LIFE_SECONDS = 30 * DAY
/**
 * Time for which a retired key stays published and accepted: 24 hours for the longest token, plus a margin for clocks and for instances that still
 * sign with it.
 */
export const KEY_OVERLAP_SECONDS = 25 * 3600
/** Time for which a key is published before it signs, so that verifiers that cache the JWKS for a day know it. */
export const KEY_PUBLISHED_AHEAD_SECONDS = DAY

/** How long keys of a kind sign, stay accepted after that, and are published before it. */
export type RotationTimes = { readonly lifeSeconds: number; readonly overlapSeconds: number; readonly publishedAheadSeconds: number }
const SIGNING_KEY_TIMES: RotationTimes = {
  lifeSeconds: KEY_LIFE_SECONDS,
  overlapSeconds: KEY_OVERLAP_SECONDS,
  publishedAheadSeconds: KEY_PUBLISHED_AHEAD_SECONDS,
}

export type KeyState = {
  readonly kid: string
  readonly alg: Alg
  readonly status: 'next' | 'current' | 'retired' | 'revoked'
  readonly createdAt: Date
  readonly currentSince: Date | null
  readonly retiresAt: Date | null
}

export type RotationStep =
  | { readonly step: 'delete'; readonly kid: string }
  | { readonly step: 'retire'; readonly kid: string; readonly until: Date }
  | { readonly step: 'promote'; readonly kid: string }
  | { readonly step: 'create'; readonly status: 'next' | 'current' }

/** Whether a key may still verify. Evaluated at use, so that no job has to be punctual. */
export const isKeyAccepted = (key: Pick<KeyState, 'status' | 'retiresAt'>, now: Date): boolean => {
  if (key.status === 'revoked') return false
  return key.status !== 'retired' || (key.retiresAt !== null && key.retiresAt > now)
}

/**
 * The ordered steps after which the algorithm has one current and one next key. Without a current key (first start, emergency) the next key is
 * promoted at once; otherwise only after it has been published for long enough.
 */
export const planRotation = (all: readonly KeyState[], alg: Alg, now: Date, times = SIGNING_KEY_TIMES): readonly RotationStep[] => {
  const keys = all.filter((key) => key.alg === alg)
  const current = keys.find((key) => key.status === 'current')
  const next = keys.find((key) => key.status === 'next')
  const steps: RotationStep[] = keys
    .filter((key) => key.status === 'retired' && !isKeyAccepted(key, now))
    .map((key): RotationStep => ({ step: 'delete', kid: key.kid }))

  const isOld = current !== undefined && secondsAfter(current.currentSince ?? current.createdAt, times.lifeSeconds) <= now
  const isPublished = next !== undefined && secondsAfter(next.createdAt, times.publishedAheadSeconds) <= now
  if (current !== undefined && !(isOld && isPublished)) return next ? steps : [...steps, { step: 'create', status: 'next' }]

  if (current !== undefined) steps.push({ step: 'retire', kid: current.kid, until: secondsAfter(now, times.overlapSeconds) })
  steps.push(next ? { step: 'promote', kid: next.kid } : { step: 'create', status: 'current' })
  return [...steps, { step: 'create', status: 'next' }]
}
