// The answer that a provider gave is redeemed: state and code once, in the browser that began, against the provider that was asked.
import type * as z from 'zod'
import { atomically, SYSTEM_TENANT, type TenantDb, type TenantId } from '#db/engine/tenant'
import { type FederationState, findState, takeState } from '#db/store/federation-states'
import { finish } from '#shared/domains/federation/engine/engine'
import type { Profile } from '#shared/domains/federation/engine/profile'
import { peerOf } from '#shared/domains/federation/peer'
import { findUpstream, type Upstream } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { equal } from '#shared/platform/crypto/equal'
import type { User } from '#shared/platform/principals/principal'
import { discover } from './discover.ts'
import type { ExchangeCode } from './exchange.schema.ts'
import type { Ctx } from './group.ts'
import { finishLink, requireSameSession } from './link.ts'
import type { Outcome } from './outcome.ts'
import { registerNow } from './register.ts'
import { noAccount, signIn } from './sign-in.ts'
import { classOf, codeHash, danceOf, locate } from './state.ts'
import { isAdmitted } from './terms.ts'
import type { Proof } from './ticket.ts'

type Sent = z.output<typeof ExchangeCode>

const failed = (tenantId?: string): AppError =>
  new AppError('federation_failed', undefined, { refusal: { ...(tenantId === undefined ? {} : { tenantId }), event: 'user.signed_in' } })

/** Of many at once exactly one goes on; whoever brings another code than came back has spent the state. @throws AppError federation_failed */
const take = async (ctx: Ctx, { t, key }: NonNullable<ReturnType<typeof locate>>, { state, code }: Sent): Promise<FederationState> => {
  const taken = await atomically(t, (tx) => takeState(tx, key, ctx.clock.now()))
  if (taken === undefined || taken.codeHash === null || !equal(taken.codeHash, codeHash(ctx, state, code))) throw failed(t.tenantId)
  return taken
}

type Proved = { readonly proof: Proof; readonly upstream: Upstream }

/**
 * Who it is, by the provider that was asked: one that was changed or switched off meanwhile proves nothing, nor does one of the tenant's for an address that the
 * tenant does not let in.
 * @throws AppError federation_failed, federation_no_account
 */
const prove = async (ctx: Ctx, t: TenantDb, state: FederationState, sent: Sent): Promise<Proved> => {
  const upstream = await findUpstream(ctx, t.tenantId, state.provider)
  const isSame = upstream?.isOwn === state.isOwnProvider && upstream.peer.clientId === state.clientId
  if (upstream === undefined || !isSame) throw failed(t.tenantId)
  const [peer, dance] = [await peerOf(ctx, upstream), await danceOf(ctx, t, state, sent.state)]
  const profile = await finish(ctx, peer, dance, sent.code).catch((error: unknown) => {
    ctx.log.warn('federation.refused', { tenant_id: t.tenantId, provider: upstream.name, error: classOf(error) })
    throw failed(t.tenantId)
  })
  if (profile === undefined) throw failed(t.tenantId)
  if (!isAdmitted(upstream.terms, profile)) throw noAccount(t.tenantId)
  return { proof: proofOf(state, upstream, profile), upstream }
}

const proofOf = ({ redirectAfter, forClientId }: FederationState, { name, displayName, isOwn, terms }: Upstream, profile: Profile): Proof => ({
  profile,
  provider: name,
  displayName,
  isOwnProvider: isOwn,
  ...(redirectAfter === null ? {} : { redirectAfter }),
  ...(terms.trustsFactors ? { trusted: true } : {}),
  ...(forClientId === null ? {} : { forClientId }),
})

/** One end for each action. */
const conclude = (ctx: Ctx, tenantId: TenantId, state: FederationState, { proof, upstream }: Proved): Promise<Outcome> => {
  const { action, origin } = state
  if (action === 'register') return registerNow(ctx, state.tenantDomain ?? '', proof, origin)
  if (action === 'discover' && tenantId === SYSTEM_TENANT) return discover(ctx, proof, origin)
  const missing = action === 'discover' ? 'federation_not_here' : 'federation_no_account'
  return signIn(ctx, tenantId, { proof, origin, missing, provisions: upstream.terms.jitProvisioning })
}

/**
 * `onPage`: who is signed in on our own page, on which the answer came back.
 * @throws AppError federation_failed, federation_no_account, federation_not_here, federation_unknown, link_confirmation_required, identity_taken, and what
 * signing in and signing up throw
 */
export const redeem = async (ctx: Ctx, sent: Sent, onPage?: User): Promise<Outcome> => (await redeemed(ctx, sent, false, onPage)).outcome

/** The sign-in that an authorization request waits for, begun for that. @throws AppError as `redeem` does */
export const redeemForChallenge = async (ctx: Ctx, sent: Sent): Promise<{ readonly outcome: Outcome; readonly challenge: string }> => {
  const { outcome, state } = await redeemed(ctx, sent, true)
  return { outcome, challenge: state.loginChallenge ?? '' }
}

type Redeemed = { readonly outcome: Outcome; readonly state: FederationState }
const redeemed = async (ctx: Ctx, sent: Sent, forChallenge: boolean, onPage?: User): Promise<Redeemed> => {
  const located = locate(ctx, sent.state)
  const waiting = located === undefined ? undefined : await findState(located.t, located.key, ctx.clock.now())
  // What was begun for one end is not spent at another.
  if (located === undefined || waiting === undefined || (waiting.loginChallenge !== null) !== forChallenge) throw failed()
  // Before the state is spent: somebody else's session must not end the link of its owner.
  const caller = waiting.action === 'link' ? await requireSameSession(ctx, waiting, onPage) : undefined
  const state = await take(ctx, located, sent)
  const proved = await prove(ctx, located.t, state, sent)
  const outcome = await (caller === undefined ? conclude(ctx, located.t.tenantId, state, proved) : finishLink(ctx, caller, proved.proof))
  return { outcome, state }
}
