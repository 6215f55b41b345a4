// A resource server spends limits of a token (calls, amounts): from the token's own budget and all its parents, or from none of them.

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

/** One call where the request names neither calls nor an amount. @throws AppError invalid_request */
const wantedIn = ({ calls, amount = 0, currency }: Form): Requested => {
  const wanted = { calls: calls ?? (amount > 0 ? 0 : 1), amount, currency }
  if (wanted.calls === 0 && wanted.amount === 0) throw new AppError('invalid_request', 'Name calls or an amount to spend.')
  return wanted
}

/** Every budget of the path must have enough left. @throws AppError limit_exceeded, invalid_request */
const validate = (path: readonly Budget[], { calls, amount, currency }: Requested, now: Date): void => {
  const remaining = remainingOf(path)
  if (amount > 0 && currency !== remaining.currency) throw new AppError('invalid_request', 'The limit counts another currency.')
  const isOver = (remaining.until ?? Number.POSITIVE_INFINITY) <= now.getTime()
  if (isOver || calls > (remaining.calls ?? calls) || amount > (remaining.amount ?? amount))
    throw new AppError('limit_exceeded', undefined, { extra: remainingResponse(path) })
}

/** The hash of the values of a spend_id, to recognise a repetition. */
const requestHash = ({ calls, amount, currency }: Requested): Uint8Array => sha256(JSON.stringify([calls, amount, currency ?? null]))

const isSameRequest = (before: Spend, leaf: Budget, wanted: Requested): boolean => {
  if (before.budgetId !== leaf.id) return false
  if (before.requestHash === null) return before.calls === wanted.calls && before.amount === wanted.amount
  return constantTimeEqual(new Uint8Array(before.requestHash), requestHash(wanted))
}

/** Spends while holding a lock on the budgets from root to leaf. */
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
  const { t, activeToken } = await examineToken(ctx, form.token)
  const wanted = wantedIn(form)
  if (activeToken === undefined) throw new AppError('invalid_grant')
  const { claims, state } = activeToken
  const detail = claims.details[form.detail ?? 0]
  if (detail === undefined) throw new AppError('invalid_request', 'The token has no such detail.')
  const path = await findBudgetPathOf(t, claims, form.detail ?? 0)
  // The detail has no limits.
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
