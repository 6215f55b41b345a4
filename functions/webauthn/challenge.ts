// State between the two halves of a ceremony: under a random handle, bound to the caller that began it, single use. The challenge is a keyed hash of the
// handle, so a reader of the table learns no usable challenge.
import * as z from 'zod'
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { consumeLoginTransaction } from '#db/store/login-transactions'
import {
  expiredTransactionCookie,
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  transactionCookie,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { RelyingParty } from './relying-party.ts'

export const CEREMONY_SECONDS = 600

const Kept = z.object({
  purpose: z.enum(['registration', 'authentication', 'login', 'passkey']),
  rp_id: z.string(),
  /** The session or login ticket that began the ceremony. */
  binding: z.string(),
  user_verification: z.enum(['required', 'preferred']),
})
export type CeremonyPurpose = z.output<typeof Kept>['purpose']
export type UserVerification = z.output<typeof Kept>['user_verification']

export type Ceremony = {
  readonly tenantId: TenantId
  readonly clientId: string | undefined
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
  readonly userVerification: UserVerification
}

const challengeOf = (ctx: Pick<Ctx, 'hash'>, handle: string): string => Buffer.from(ctx.hash('webauthn-challenge', handle)).toString('base64url')

export type StartedCeremony = { readonly sessionId: string; readonly challenge: string; readonly cookies: readonly Cookie[] }
type Beginning = {
  readonly tenantId: TenantId
  readonly userId: string | undefined
  readonly clientId?: string | undefined
  readonly purpose: CeremonyPurpose
  readonly binding: string
  readonly rp: RelyingParty
  /** Set if it differs from the page's own: the id of a related origin. */
  readonly rpId?: string
  readonly userVerification: UserVerification
}

/** Each call creates a separate ceremony, so beginning another never invalidates a pending one. */
export const beginCeremony = async (ctx: Ctx, given: Beginning): Promise<StartedCeremony> => {
  const data: z.input<typeof Kept> = {
    purpose: given.purpose,
    rp_id: given.rpId ?? given.rp.id,
    binding: given.binding,
    user_verification: given.userVerification,
  }
  const sessionId = await atomically(forTenant(ctx.db, given.tenantId), (t) =>
    startLoginTransaction(t, ctx, {
      purpose: 'webauthn',
      userId: given.userId ?? null,
      clientId: given.clientId ?? null,
      verified: [],
      data,
      seconds: CEREMONY_SECONDS,
    }),
  )
  return { sessionId, challenge: challengeOf(ctx, sessionId), cookies: [transactionCookie(ctx, 'webauthn', sessionId)] }
}

type Ending = {
  /** Undefined while the person is unknown. */
  readonly who: { readonly tenantId: TenantId; readonly userId: string } | undefined
  readonly purpose: CeremonyPurpose
  readonly binding: string
  /** From the body; without one the cookie is used. */
  readonly sessionId: string | undefined
  /** The error if there is no such ceremony: unknown, expired, used, or of another caller. */
  readonly missing: ErrorCode
}

/**
 * Consumes the ceremony before anything of the response is checked, so only one of several concurrent requests gets it. Another caller's ceremony is not touched.
 * @throws AppError the code in `missing`
 */
export const consumeCeremony = async (ctx: Ctx, { who, purpose, binding, sessionId, missing }: Ending): Promise<Ceremony> => {
  const handle = readTransactionHandle(ctx, 'webauthn', sessionId)
  const loginTransaction = await loadLoginTransaction(ctx, 'webauthn', handle)
  const kept = Kept.safeParse(loginTransaction?.data)
  const isTheirs =
    kept.data?.purpose === purpose &&
    kept.data.binding === binding &&
    loginTransaction?.userId === (who?.userId ?? null) &&
    (who === undefined || handle?.tenantId === who.tenantId)
  const { request } = ctx
  const refused = new AppError(missing, undefined, {
    refusal: { event: purpose === 'registration' ? 'factor.added' : 'factor.verified', ...who },
  })
  if (handle === undefined || kept.data === undefined || loginTransaction?.origin == null || loginTransaction.origin !== request.origin || !isTheirs)
    throw refused
  const taken = await atomically(forTenant(ctx.db, handle.tenantId), (t) =>
    consumeLoginTransaction(t, transactionHandleHash(ctx, handle.text), ctx.clock.now()),
  )
  if (taken === undefined) throw refused
  return {
    tenantId: handle.tenantId,
    clientId: loginTransaction.clientId ?? undefined,
    challenge: challengeOf(ctx, handle.text),
    origin: loginTransaction.origin,
    rpId: kept.data.rp_id,
    userVerification: kept.data.user_verification,
  }
}

/** Deletes the ceremony's cookie. */
export const expiredCeremonyCookie = (ctx: Ctx): Cookie => expiredTransactionCookie(ctx, 'webauthn')
