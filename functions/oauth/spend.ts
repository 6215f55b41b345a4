// A resource server uses up what a token may spend (calls, amounts): from the token's own limits and from everything that it came from, or from none of them.

import type * as z from 'zod'
import { atomically, type TenantTx } from '#db/engine/tenant'
import { type Budget, findSpend, insertSpend, lockBudgets, type Spend, spendBudgets } from '#db/store/oauth-details'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { remainingOf, remainingResponse } from './budgets.ts'
import type { Ctx } from './group.ts'
import type { SpendAnswer, SpendForm } from './introspection.schema.ts'
import { examineToken } from './introspection.ts'
import { findBudgetPathOf } from './remaining-limits.ts'

type Form = z.output<typeof SpendForm>
type Answer = z.input<typeof SpendAnswer>
type Requested = { readonly calls: number; readonly amount: number; readonly currency: string | undefined }

/** One call where nothing is said. @throws AppError invalid_request */
const wantedIn = ({ calls, amount = 0, currency }: Form): Requested => {
  const wanted = { calls: calls ?? (amount > 0 ? 0 : 1), amount, currency }
  if (wanted.calls === 0 && wanted.amount === 0) throw new AppError('invalid_request', 'Name calls or an amount to spend.')
  return wanted
}

/** Each of them has enough, or none is touched. @throws AppError limit_exceeded, invalid_request */
const validate = (path: readonly Budget[], { calls, amount, currency }: Requested, now: Date): void => {
  const left = remainingOf(path)
  if (amount > 0 && currency !== left.currency) throw new AppError('invalid_request', 'The limit counts another currency.')
  const isOver = (left.until ?? Number.POSITIVE_INFINITY) <= now.getTime()
  if (isOver || calls > (left.calls ?? calls) || amount > (left.amount ?? amount))
    throw new AppError('limit_exceeded', undefined, { extra: remainingResponse(path) })
}

/** What a name stands for: of which budget it is, the row says. */
const requestHash = ({ calls, amount, currency }: Requested): Uint8Array => sha256(JSON.stringify([calls, amount, currency ?? null]))

const isSameRequest = (before: Spend, leaf: Budget, wanted: Requested): boolean => {
  if (before.budgetId !== leaf.id) return false
  if (before.requestHash === null) return before.calls === wanted.calls && before.amount === wanted.amount
  return constantTimeEqual(new Uint8Array(before.requestHash), requestHash(wanted))
}

/** Holds a lock on the budgets from the root down to the leaf. */
const spendFrom = async (t: TenantTx, ctx: Ctx, form: Form, ids: readonly string[], wanted: Requested): Promise<Answer> => {
  const path = await lockBudgets(t, ids)
  const leaf = path.at(-1)
  if (leaf === undefined || path.length !== ids.length) throw new AppError('invalid_grant')
  const at = ctx.clock.now()
  const keyHash = form.spend_id === undefined ? undefined : sha256(form.spend_id)
  const before = keyHash === undefined ? undefined : await findSpend(t, leaf.holderId, keyHash)
  if (before !== undefined) {
    if (!isSameRequest(before, leaf, wanted)) throw new AppError('spend_id_reused')
    return { spent: true, calls: before.calls, amount: before.amount, repeated: true, ...remainingResponse(path) }
  }
  validate(path, wanted, at)
  if (keyHash !== undefined) {
    const { calls, amount } = wanted
    const row = { budgetId: leaf.id, keyHash, requestHash: requestHash(wanted), calls, amount, createdAt: at, expiresAt: leaf.expiresAt }
    await insertSpend(t, row)
  }
  await spendBudgets(t, ids, wanted)
  const after = path.map((row) => ({ ...row, callsSpent: row.callsSpent + wanted.calls, amountSpent: row.amountSpent + wanted.amount }))
  return { spent: true, calls: wanted.calls, amount: wanted.amount, repeated: false, ...remainingResponse(after) }
}

/** @throws AppError client_authentication_failed, invalid_request, invalid_grant, limit_exceeded, spend_id_reused */
export const spendLimit = async (ctx: Ctx, form: Form): Promise<Answer> => {
  const { t, counts } = await examineToken(ctx, form.token)
  const wanted = wantedIn(form)
  if (counts === undefined) throw new AppError('invalid_grant')
  const { claims, state } = counts
  const detail = claims.details[form.detail ?? 0]
  if (detail === undefined) throw new AppError('invalid_request', 'The token has no such detail.')
  const path = await findBudgetPathOf(t, claims, form.detail ?? 0)
  // Nothing of it is counted.
  if (path.length === 0) return { spent: true, calls: wanted.calls, amount: wanted.amount, repeated: false }
  return atomically(t, async (tx) => {
    const ids = path.map(({ id }) => id)
    const answer = await spendFrom(tx, ctx, form, ids, wanted)
    if (!answer.repeated) {
      await recordEvent(tx, ctx, {
        event: 'oauth.limit_spent',
        actor: byClient(claims.clientId, state.userId),
        target: { type: 'budget', id: ids.at(-1) ?? '' },
        after: { type: detail.type, calls: wanted.calls, amount: wanted.amount, jti: claims.tokenId },
      })
    }
    return answer
  })
}
