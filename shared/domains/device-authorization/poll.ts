// The states of a poll, and the session that an approved grant begins. A group that mints something else passes its own `RedeemGrant`.

import type { TenantTx } from '#db/engine/tenant'
import { isGrantAuthorized } from '#db/store/polled-grants'
import { lockAccountAndFindRequirements, type SessionRequirements } from '#db/store/sign-in'
import type { RequestCtx } from '#shared/domains/context'
import type { Details } from '#shared/domains/oauth/details'
import { factorState, isSatisfied } from '#shared/domains/sign-in/factors'
import { beginSession, type StartedSession } from '#shared/domains/sign-in/session'
import { grantedScopes } from './scopes.ts'

/** RFC 8628 section 3.5, OpenID CIBA Core section 11. `expired` also stands for unknown, consumed and another client's grants. */
export type PollResult<T> =
  | { readonly state: 'pending' }
  | { readonly state: 'slow_down'; readonly intervalSeconds: number }
  | { readonly state: 'denied' }
  | { readonly state: 'expired' }
  | { readonly state: 'redeemed'; readonly value: T }

/** What the authorization server binds a grant to. */
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

/** The decision of a consumed row; undefined for any other row. */
export const decidedGrant = <R extends Row & Pick<DecidedGrant, 'id' | 'clientId' | 'scopes' | 'amr' | 'resourceServerId' | 'jkt' | 'details'>>(
  row: R,
): (R & DecidedGrant) | undefined => {
  const { userId, sessionId, authTime, decidedAt } = row
  if (row.status !== 'consumed' || userId === null || sessionId === null || authTime === null || decidedAt === null) return undefined
  return { ...row, userId, sessionId, authTime, decidedAt }
}

/** The state of a row that was not consumed. A request that reached no device looks like one without an answer. */
export const pollState = (row: Row | undefined): Exclude<PollResult<never>, { state: 'redeemed' }> => {
  if (row === undefined) return { state: 'expired' }
  if (row.status === 'denied') return { state: 'denied' }
  if (row.polledTooSoon) return { state: 'slow_down', intervalSeconds: row.intervalSeconds }
  return { state: 'pending' }
}

/** Mints, in the transaction that consumes the grant; undefined when the person may no longer give it. */
export type RedeemGrant<T> = (t: TenantTx, grant: DecidedGrant) => Promise<T | undefined>

/** As at sign-in: two factors where two are required, or only an app's code where the tenant allows that. */
const meetsRequirements = (requirements: SessionRequirements, amr: readonly string[]): boolean => {
  const { passwordlessTotp, requireSecondFactor } = requirements.tenant?.settings ?? {}
  return isSatisfied(factorState(requirements).required, amr) || (passwordlessTotp === true && requireSecondFactor !== true && amr.includes('otp'))
}

export type GrantedSession = StartedSession & { readonly scopes: readonly string[] }

/**
 * Begins the session of the person who approved, derived from the approving session: with its strength and age, and ended with it. Checks again that the person, tenant, client and approving
 * session are valid and that the proven factors still suffice. `scopes` overrides the scopes that the person may give.
 * Routes that call this emit `session.created`, `user.signed_in`.
 * @throws AppError quota_exceeded
 */
export const beginGrantedSession =
  (ctx: RequestCtx, more: { readonly amr?: readonly string[]; readonly scopes?: readonly string[] } = {}): RedeemGrant<GrantedSession> =>
  async (t, grant) => {
    const [user, requirements] = await lockAccountAndFindRequirements(t, grant.userId, ctx.clock.now())
    if (user === undefined || !user.active || user.deletedAt !== null || user.passwordResetRequired || user.validFrom > grant.decidedAt)
      return undefined
    if (!(await isGrantAuthorized(t, grant))) return undefined
    if (!meetsRequirements(requirements, grant.amr)) return undefined
    const scopes = [...(more.scopes ?? (await grantedScopes(t, user.id, grant.scopes, ctx.clock.now())))]
    const amr = [...new Set([...grant.amr, ...(more.amr ?? [])])]
    const startedSession = await beginSession(t, ctx, {
      user,
      clientId: grant.clientId ?? undefined,
      amr,
      authTime: grant.authTime,
      requirements,
      scopes,
      source: { sessionId: grant.sessionId, authTime: grant.authTime },
      remembersBrowser: false,
    })
    return { ...startedSession, scopes }
  }
