// The proof of a federated identity, held in a login transaction until the person completes a step: a confirmation, a domain, or a choice.
import { forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { consumeLoginTransaction, type LoginTransaction } from '#db/store/login-transactions'
import { type FederatedProof, StoredProof, type StoredProofKind } from '#shared/domains/federation/proof'
import {
  expiredTransactionCookie,
  loadLoginTransaction,
  readTransactionHandle,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

export { type FederatedProof, proofCookie, type StoredProofKind, storeProof } from '#shared/domains/federation/proof'

export type HeldProof = {
  readonly t: TenantDb
  readonly loginTransaction: LoginTransaction
  readonly proof: FederatedProof
  readonly origin: string
  readonly hash: Uint8Array
}

export const expiredProofCookie = (ctx: Ctx): Cookie => expiredTransactionCookie(ctx, 'federation')

const invalid = (): AppError => new AppError('federation_ticket_invalid', undefined, { refusal: { event: 'user.signed_in' } })

/** @throws AppError federation_ticket_invalid */
export const loadHeldProof = async (ctx: Ctx, kind: StoredProofKind, inBody: string | undefined): Promise<HeldProof> => {
  const handle = readTransactionHandle(ctx, 'federation', inBody)
  const loginTransaction = await loadLoginTransaction(ctx, 'federation', handle)
  const kept = StoredProof.safeParse(loginTransaction?.data)
  if (handle === undefined || loginTransaction === undefined || !kept.success || kept.data.kind !== kind) throw invalid()
  const { proof, origin } = kept.data
  return { t: forTenant(ctx.db, handle.tenantId), loginTransaction, proof, origin, hash: transactionHandleHash(ctx, handle.text) }
}

/** Consumes the proof; one of several concurrent requests succeeds. @throws AppError federation_ticket_invalid */
export const consumeProof = async (t: TenantTx, ctx: Ctx, heldProof: HeldProof): Promise<void> => {
  if ((await consumeLoginTransaction(t, heldProof.hash, ctx.clock.now())) === undefined) throw invalid()
}
