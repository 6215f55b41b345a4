// A sign-up belongs to the browser or client that began it. Any person can begin one for another's address with a password of their own, and the mailbox's
// owner gets its code: entered elsewhere, that code must not create an account with that password.
import type { PendingRegistration } from '#db/store/codes'
import type { RequestCtx } from '#shared/domains/context'
import { isCrossSite } from '#shared/domains/login-transaction/login-transaction'
import { randomToken } from '#shared/kernel/random'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Cookie } from '#shared/platform/http/route'

const cookieName = (secure: boolean): string => `${secure ? '__Host-' : ''}authsec_sign_up`
const attemptHash = (ctx: Pick<RequestCtx, 'hash'>, ticket: string): Uint8Array => ctx.hash('sign-up-attempt', ticket)

export type Attempt = {
  /** Presented with the code, in the body by clients that keep no cookies. */
  readonly ticket: string
  readonly hash: Uint8Array
  readonly cookie: Cookie
}

export const newAttempt = (ctx: Pick<RequestCtx, 'random' | 'hash' | 'config' | 'request'>, maxAgeSeconds: number): Attempt => {
  const ticket = randomToken(ctx.random)
  const { secure } = ctx.request
  const cookie: Cookie = { name: cookieName(secure), value: ticket, maxAgeSeconds, sameSite: isCrossSite(ctx) ? 'None' : 'Lax' }
  return { ticket, hash: attemptHash(ctx, ticket), cookie }
}

/** The one of these sign-ups that this browser or client began. */
export const ownAttempt = (
  ctx: Pick<RequestCtx, 'hash' | 'request'>,
  waiting: readonly PendingRegistration[],
  inBody: string | undefined,
): PendingRegistration | undefined => {
  const ticket = inBody ?? ctx.request.cookie(cookieName(ctx.request.secure))
  if (ticket === undefined) return undefined
  const hash = attemptHash(ctx, ticket)
  return waiting.find((one) => one.attemptHash !== null && constantTimeEqual(hash, new Uint8Array(one.attemptHash)))
}

/** Browsers name their origin or site with every form and script request, so a request without either does not come from one. */
const comesFromBrowser = ({ request }: Pick<RequestCtx, 'request'>): boolean =>
  request.origin !== undefined || request.header('sec-fetch-site') !== undefined

/**
 * The sign-up that the code may finish: the one that this browser or client began. A client that is no browser and presents no ticket finishes the only one of
 * the address; of several, it is not known which is its own.
 */
export const finishableAttempt = (
  ctx: Pick<RequestCtx, 'hash' | 'request'>,
  waiting: readonly PendingRegistration[],
  ticket: string | undefined,
): PendingRegistration | undefined => {
  const own = ownAttempt(ctx, waiting, ticket)
  if (own !== undefined || ticket !== undefined || comesFromBrowser(ctx) || waiting.length > 1) return own
  return waiting[0]
}
