// What a poll comes to, and how a session begins from a decision. Whoever mints something else at the same poll brings a `Redeem` of their own.

import type { TenantTx } from '#db/engine/tenant'
import { isGrantAuthorized } from '#db/store/polled-grants'
import { lockAccountAndFindRequirements, type SessionRequirements } from '#db/store/sign-in'
import type { RequestCtx } from '#shared/domains/context'
import type { Details } from '#shared/domains/oauth/details'
import { factorState, isSatisfied } from '#shared/domains/sign-in/factors'
import { beginSession, type StartedSession } from '#shared/domains/sign-in/session'
import { grantedScopes } from './scopes.ts'

/** RFC 8628 section 3.5, OpenID CIBA Core section 11: what the client is told. `expired` also stands for unknown, consumed and another client's. */
export type PollResult<T> =
  | { readonly state: 'pending' }
  | { readonly state: 'slow_down'; readonly intervalSeconds: number }
  | { readonly state: 'denied' }
  | { readonly state: 'expired' }
  | { readonly state: 'redeemed'; readonly value: T }

/** What the authorization server begins a grant with. */
export type ResourceBinding = { readonly resourceServerId: string | null; readonly jkt: string | null; readonly details: Details }

export type DecidedGrant = {
  readonly id: string
  readonly clientId: string | null
  readonly scopes: readonly string[]
  readonly userId: string
  readonly sessionId: string
  readonly amr: readonly string[]
  readonly authTime: Date
  readonly decidedAt: Date
  readonly resourceServerId: string | null
  readonly jkt: string | null
  readonly details: Details
}

type Row = {
  readonly status: string
  readonly polledTooSoon: boolean
  readonly intervalSeconds: number
  readonly userId: string | null
  readonly sessionId: string | null
  readonly authTime: Date | null
  readonly decidedAt: Date | null
}

/** The decision behind a row that was consumed. */
export const decidedGrant = <R extends Row & Pick<DecidedGrant, 'id' | 'clientId' | 'scopes' | 'amr' | 'resourceServerId' | 'jkt' | 'details'>>(
  row: R,
): (R & DecidedGrant) | undefined => {
  const { userId, sessionId, authTime, decidedAt } = row
  if (row.status !== 'consumed' || userId === null || sessionId === null || authTime === null || decidedAt === null) return undefined
  return { ...row, userId, sessionId, authTime, decidedAt }
}

/** What a row that was not consumed says. A request for which nobody could be asked looks like one that nobody answers. */
export const pollState = (row: Row | undefined): Exclude<PollResult<never>, { state: 'redeemed' }> => {
  if (row === undefined) return { state: 'expired' }
  if (row.status === 'denied') return { state: 'denied' }
  if (row.polledTooSoon) return { state: 'slow_down', intervalSeconds: row.intervalSeconds }
  return { state: 'pending' }
}

/** Mints, in the transaction that consumes; undefined when whoever decided may no longer have it. */
export type RedeemGrant<T> = (t: TenantTx, grant: DecidedGrant) => Promise<T | undefined>

/** As at sign-in: two factors where two are owed, or the code of an app alone where the tenant lets that in. */
const isEnough = (requirements: SessionRequirements, amr: readonly string[]): boolean => {
  const { passwordlessTotp, requireSecondFactor } = requirements.tenant?.settings ?? {}
  return isSatisfied(factorState(requirements).required, amr) || (passwordlessTotp === true && requireSecondFactor !== true && amr.includes('otp'))
}

export type GrantedSession = StartedSession & { readonly scopes: readonly string[] }

/**
 * Begins the session of whoever approved, as strong and as old as the session in which that happened. Everything is asked again at this moment: person,
 * tenant, client, approving session, and whether the factors that were proved are still enough.
 * `scopes` where the caller knows what is given. Routes that call this emit `session.created`, `user.signed_in`.
 * @throws AppError quota_exceeded
 */
export const beginGrantedSession =
  (ctx: RequestCtx, more: { readonly amr?: readonly string[]; readonly scopes?: readonly string[] } = {}): RedeemGrant<GrantedSession> =>
  async (t, grant) => {
    const [user, requirements] = await lockAccountAndFindRequirements(t, grant.userId, ctx.clock.now())
    if (user === undefined || !user.active || user.deletedAt !== null || user.passwordResetRequired || user.validFrom > grant.decidedAt)
      return undefined
    if (!(await isGrantAuthorized(t, grant))) return undefined
    if (!isEnough(requirements, grant.amr)) return undefined
    const scopes = [...(more.scopes ?? (await grantedScopes(t, user.id, grant.scopes, ctx.clock.now())))]
    const amr = [...new Set([...grant.amr, ...(more.amr ?? [])])]
    const startedSession = await beginSession(t, ctx, {
      user,
      clientId: grant.clientId ?? undefined,
      amr,
      authTime: grant.authTime,
      requirements,
      scopes,
      remembersBrowser: false,
    })
    return { ...startedSession, scopes }
  }
