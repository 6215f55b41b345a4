// Redeems the response of a provider: state and code once, in the browser that started, with the provider that the flow used.
import type * as z from 'zod'
import { atomically, SYSTEM_TENANT, type TenantDb, type TenantId } from '#db/engine/tenant'
import { consumeFederationState, type FederationState, findFederationState } from '#db/store/federation-states'
import { finishFlow } from '#shared/domains/federation/engine/engine'
import type { Profile } from '#shared/domains/federation/engine/profile'
import { findUpstream, type Upstream } from '#shared/domains/federation/upstream'
import { upstreamClientOf } from '#shared/domains/federation/upstream-client'
import { AppError } from '#shared/kernel/errors'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { User } from '#shared/platform/principals/principal'
import { discoverAccounts } from './discover.ts'
import type { ExchangeCode } from './exchange.schema.ts'
import { signInFederated } from './federated-sign-in.ts'
import type { Ctx } from './group.ts'
import type { FederatedProof } from './held-proof.ts'
import { finishLink, requireSameSession } from './link.ts'
import type { FederationOutcome } from './outcome.ts'
import { registerVerifiedCompany } from './register.ts'
import { noAccountError } from './sign-in.ts'
import { codeHash, errorClassOf, locateFederationState, restoreAuthorizationFlow } from './state.ts'
import { isAdmitted } from './terms.ts'

type Sent = z.output<typeof ExchangeCode>

const failed = (tenantId?: string): AppError =>
  new AppError('federation_failed', undefined, { refusal: { ...(tenantId === undefined ? {} : { tenantId }), event: 'user.signed_in' } })

/** Consumes the state atomically. A code other than the one at the callback also consumes it. @throws AppError federation_failed */
const take = async (ctx: Ctx, { t, key }: NonNullable<ReturnType<typeof locateFederationState>>, { state, code }: Sent): Promise<FederationState> => {
  const taken = await atomically(t, (tx) => consumeFederationState(tx, key, ctx.clock.now()))
  if (taken === undefined || taken.codeHash === null || !constantTimeEqual(taken.codeHash, codeHash(ctx, state, code))) throw failed(t.tenantId)
  return taken
}

type Proved = { readonly proof: FederatedProof; readonly upstream: Upstream }

/**
 * Verifies the identity with the provider of the flow. A provider that was changed or deactivated meanwhile is refused, and so is an address that the tenant does
 * not admit from its own provider.
 * @throws AppError federation_failed, federation_no_account
 */
const prove = async (ctx: Ctx, t: TenantDb, state: FederationState, sent: Sent): Promise<Proved> => {
  const upstream = await findUpstream(ctx, t.tenantId, state.provider)
  const isSame = upstream?.isOwn === state.isOwnProvider && upstream.peer.clientId === state.clientId
  if (upstream === undefined || !isSame) throw failed(t.tenantId)
  const [peer, flow] = [await upstreamClientOf(ctx, upstream), await restoreAuthorizationFlow(ctx, t, state, sent.state)]
  const profile = await finishFlow(ctx, peer, flow, sent.code).catch((error: unknown) => {
    ctx.log.warn('federation.refused', { tenant_id: t.tenantId, provider: upstream.name, error: errorClassOf(error) })
    throw failed(t.tenantId)
  })
  if (profile === undefined) throw failed(t.tenantId)
  if (!isAdmitted(upstream.terms, profile)) throw noAccountError(t.tenantId)
  return { proof: proofOf(state, upstream, profile), upstream }
}

const proofOf = (
  { redirectAfter, forClientId }: FederationState,
  { name, displayName, isOwn, terms, row }: Upstream,
  profile: Profile,
): FederatedProof => ({
  profile,
  provider: name,
  displayName,
  isOwnProvider: isOwn,
  ...(redirectAfter === null ? {} : { redirectAfter }),
  ...(terms.trustsFactors ? { trusted: true } : {}),
  ...(row === undefined ? {} : { providerId: row.id }),
  ...(forClientId === null ? {} : { forClientId }),
})

/** Finishes the flow according to its action. */
const conclude = (ctx: Ctx, tenantId: TenantId, state: FederationState, { proof, upstream }: Proved): Promise<FederationOutcome> => {
  const { action, origin } = state
  if (action === 'register') return registerVerifiedCompany(ctx, state.tenantDomain ?? '', proof, origin)
  if (action === 'discover' && tenantId === SYSTEM_TENANT) return discoverAccounts(ctx, proof, origin)
  const missing = action === 'discover' ? 'federation_not_here' : 'federation_no_account'
  return signInFederated(ctx, tenantId, { proof, origin, missing, provisions: upstream.terms.jitProvisioning })
}

/**
 * Redeems the response of a sign-in, sign-up or link. `onPage` is the person who is signed in on the hosted page that received the response.
 * @throws AppError federation_failed, federation_no_account, federation_not_here, federation_unknown, link_confirmation_required, identity_taken, and the errors
 * of signing in and signing up
 */
export const redeemExchangeCode = async (ctx: Ctx, sent: Sent, onPage?: User): Promise<FederationOutcome> =>
  (await redeemed(ctx, sent, false, onPage)).outcome

/** Redeems the response for a flow with a login challenge. @throws AppError as `redeemExchangeCode` */
export const redeemExchangeCodeForChallenge = async (
  ctx: Ctx,
  sent: Sent,
): Promise<{ readonly outcome: FederationOutcome; readonly challenge: string }> => {
  const { outcome, state } = await redeemed(ctx, sent, true)
  return { outcome, challenge: state.loginChallenge ?? '' }
}

type Redeemed = { readonly outcome: FederationOutcome; readonly state: FederationState }
const redeemed = async (ctx: Ctx, sent: Sent, forChallenge: boolean, onPage?: User): Promise<Redeemed> => {
  const located = locateFederationState(ctx, sent.state)
  const waiting = located === undefined ? undefined : await findFederationState(located.t, located.key, ctx.clock.now())
  // A flow that started for a login challenge can be redeemed only for it, and the reverse.
  if (located === undefined || waiting === undefined || (waiting.loginChallenge !== null) !== forChallenge) throw failed()
  // Checked before the state is consumed, so that another person's session cannot end the owner's link.
  const caller = waiting.action === 'link' ? await requireSameSession(ctx, waiting, onPage) : undefined
  const state = await take(ctx, located, sent)
  const proved = await prove(ctx, located.t, state, sent)
  const outcome = await (caller === undefined ? conclude(ctx, located.t.tenantId, state, proved) : finishLink(ctx, caller, proved.proof))
  return { outcome, state }
}
