// Budgets count limits that are used up (amounts, calls, time). A budget of a delegated token also spends from its parent budgets.
import type { AuthorizationDetail, Budget, DetailType, NewBudget } from '#db/store/oauth-details'
import type { BaseCtx } from '#shared/domains/context'
import { type Details, detailHash, type Limits, limitsIn, limitsOf } from '#shared/domains/oauth/details'
import { secondsAfter } from '#shared/kernel/clock'

export type Holding = {
  readonly holderId: string
  /** The budgets of a token, and the parent budgets that they are part of. */
  readonly details: readonly { readonly detail: AuthorizationDetail; readonly of: AuthorizationDetail }[]
  readonly types: readonly DetailType[]
  readonly parents: readonly Budget[]
  readonly at: Date
  readonly expiresAt: Date
}

const equals = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(Buffer.from(b))
const limitsOfRow = (row: Budget): Limits => ({
  calls: row.calls ?? undefined,
  amount: row.amount ?? undefined,
  currency: row.currency ?? undefined,
  until: row.until ?? undefined,
})

/** A detail without known limits inherits those of its parent budget, even if the type is no longer registered. */
export const budgetsOf = (ctx: Pick<BaseCtx, 'random'>, h: Holding): NewBudget[] =>
  h.details.flatMap(({ detail, of }) => {
    const ofHash = detailHash(of)
    const parent = h.parents.find((row) => equals(row.detailHash, ofHash))
    const limits = limitsIn(detail, limitsOf(h.types, detail.type)) ?? (parent === undefined ? undefined : limitsOfRow(parent))
    if (limits === undefined) return []
    const id = ctx.random.id()
    return [
      {
        id,
        holderId: h.holderId,
        detailHash: detailHash(detail),
        path: [...(parent?.path ?? []), id],
        calls: limits.calls ?? null,
        amount: limits.amount ?? null,
        currency: limits.currency ?? null,
        until: limits.until ?? null,
        createdAt: h.at,
        expiresAt: h.expiresAt,
      },
    ]
  })

/** A budget outlives every token that spends from it: the tokens of an authorization end within thirty days. */
const BUDGET_SECONDS = 31 * 24 * 3600

/** The budgets of details that a person consented to: they have no parent. */
export const ownBudgets = (
  ctx: Pick<BaseCtx, 'random'>,
  { details, ...of }: Pick<Holding, 'holderId' | 'types' | 'at'> & { readonly details: Details },
): NewBudget[] =>
  budgetsOf(ctx, {
    ...of,
    details: details.map((detail) => ({ detail, of: detail })),
    parents: [],
    expiresAt: secondsAfter(of.at, BUDGET_SECONDS),
  })

const minimum = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The remaining limits: the minimum along the path to the root. */
export const remainingOf = (path: readonly Budget[]) => ({
  calls: minimum(path.map((row) => (row.calls === null ? undefined : row.calls - row.callsSpent))),
  amount: minimum(path.map((row) => (row.amount === null ? undefined : row.amount - row.amountSpent))),
  until: minimum(path.map((row) => row.until?.getTime())),
  currency: path.at(-1)?.currency ?? undefined,
})

/** The remaining limits as members of a response. */
export const remainingResponse = (path: readonly Budget[]) => {
  const { calls, amount, until, currency } = remainingOf(path)
  return {
    ...(calls === undefined ? {} : { calls_left: calls }),
    ...(amount === undefined ? {} : { amount_left: amount }),
    ...(currency === undefined ? {} : { currency }),
    ...(until === undefined ? {} : { until: Math.floor(until / 1000) }),
  }
}
