// Pre-hijacking: in a tenant that admits people without a proved address, any person can create an account for another's address and wait for its owner. When
// the owner proves the address for the first time, nothing that the creator added opens the account any longer.

import type { TenantTx } from '#db/engine/tenant'
import { deleteOtherIdentities } from '#db/store/identities'
import type { User as UserRow } from '#db/store/users'
import { findFactorKinds, updateUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { deleteAllFactors } from '#shared/domains/factors/reset'
import { byAnonymous } from '#shared/platform/audit/audit-log'

/**
 * Removes factors and identities that were added before the address was proved. Call it with the row as it was before the proof, in the transaction of the
 * proof, which also ends all sessions. Routes that call this emit `factors.reset`.
 */
export const takeFromCreator = async (t: TenantTx, ctx: RequestCtx, user: UserRow): Promise<void> => {
  if (!user.createdUnproved || user.emailVerifiedAt !== null) return
  if ((await findFactorKinds(t, user.id)).length > 0) await deleteAllFactors(t, ctx, user.id, byAnonymous, 'address_proved')
  await deleteOtherIdentities(t, user.id, undefined)
  await updateUser(t, user.id, { createdUnproved: false })
}
