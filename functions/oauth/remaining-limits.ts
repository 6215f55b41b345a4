// The remaining limits of a token.
import type * as z from 'zod'
import type { TenantDb } from '#db/engine/tenant'
import { type Budget, findBudgetPath } from '#db/store/oauth-details'
import type { AccessClaims } from '#shared/domains/oauth/access-token'
import { detailHash } from '#shared/domains/oauth/details'
import { remainingResponse } from './budgets.ts'
import type { RemainingLimits } from './introspection.schema.ts'

/** The budgets that a detail of the token spends from, root first; none where nothing is counted. */
export const findBudgetPathOf = (t: TenantDb, { delegationId, authorizationId, details }: AccessClaims, at: number): Promise<Budget[]> => {
  const [holder, detail] = [delegationId ?? authorizationId, details[at]]
  return holder === undefined || detail === undefined ? Promise.resolve([]) : findBudgetPath(t, holder, detailHash(detail))
}

/** The remaining limits of each detail, in order. */
export const remainingLimits = async (t: TenantDb, claims: AccessClaims): Promise<(z.input<typeof RemainingLimits> | null)[]> => {
  const remaining: (z.input<typeof RemainingLimits> | null)[] = []
  for (const at of claims.details.keys()) {
    const path = await findBudgetPathOf(t, claims, at)
    remaining.push(path.length === 0 ? null : remainingResponse(path))
  }
  return remaining
}
