// The ticket of what a provider proved, as the step that a person still owes holds it: a confirmation, a domain, a choice.

import { forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { consumeTicket, type Ticket } from '#db/store/tickets'
import { Kept, type Kind, type Proof } from '#shared/domains/federation/proof'
import { handleHash, loadTicket, readHandle, spentCookie } from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

export { type Kind, keepProof, type Proof, proofCookie } from '#shared/domains/federation/proof'

export type Held = { readonly t: TenantDb; readonly ticket: Ticket; readonly proof: Proof; readonly origin: string; readonly hash: Uint8Array }

export const spentProofCookie = (ctx: Ctx): Cookie => spentCookie(ctx, 'federation')

const invalid = (): AppError => new AppError('federation_ticket_invalid', undefined, { refusal: { event: 'user.signed_in' } })

/** @throws AppError federation_ticket_invalid */
export const heldProof = async (ctx: Ctx, kind: Kind, inBody: string | undefined): Promise<Held> => {
  const handle = readHandle(ctx, 'federation', inBody)
  const ticket = await loadTicket(ctx, 'federation', handle)
  const kept = Kept.safeParse(ticket?.data)
  if (handle === undefined || ticket === undefined || !kept.success || kept.data.kind !== kind) throw invalid()
  const { proof, origin } = kept.data
  return { t: forTenant(ctx.db, handle.tenantId), ticket, proof, origin, hash: handleHash(ctx, handle.text) }
}

/** Of many at once exactly one goes on. @throws AppError federation_ticket_invalid */
export const spendProof = async (t: TenantTx, ctx: Ctx, held: Held): Promise<void> => {
  if ((await consumeTicket(t, held.hash, ctx.clock.now())) === undefined) throw invalid()
}
