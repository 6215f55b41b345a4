// Limits that are used up (amounts, calls, time): a row each, which spends from the one it came from.
import type { AuthorizationDetail, Budget, DetailType, NewBudget } from '#db/store/oauth-details'
import type { BaseCtx } from '#shared/domains/context'
import { type Details, detailHash, type Limits, limitsIn, limitsOf } from '#shared/domains/oauth/details'
import { secondsAfter } from '#shared/kernel/clock'

export type Holding = {
  readonly holderId: string
  /** What is held, and of what of the parent's it is a part. */
  readonly details: readonly { readonly detail: AuthorizationDetail; readonly of: AuthorizationDetail }[]
  readonly types: readonly DetailType[]
  readonly parents: readonly Budget[]
  readonly at: Date
  readonly expiresAt: Date
}

const equals = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(Buffer.from(b))
const ofRow = (row: Budget): Limits => ({
  calls: row.calls ?? undefined,
  amount: row.amount ?? undefined,
  currency: row.currency ?? undefined,
  until: row.until ?? undefined,
})

/** Whatever the parent's is limited by limits this, too, whether or not the type is still known. */
export const budgetsOf = (ctx: Pick<BaseCtx, 'random'>, h: Holding): NewBudget[] =>
  h.details.flatMap(({ detail, of }) => {
    const ofHash = detailHash(of)
    const parent = h.parents.find((row) => equals(row.detailHash, ofHash))
    const limits = limitsIn(detail, limitsOf(h.types, detail.type)) ?? (parent === undefined ? undefined : ofRow(parent))
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

/** What may be spent is kept for longer than any token that spends it: those of an authorization end within thirty days. */
const LONGEST_SECONDS = 31 * 24 * 3600

/** Of what a person allowed: nothing is above it. */
export const ownBudgets = (
  ctx: Pick<BaseCtx, 'random'>,
  { details, ...of }: Pick<Holding, 'holderId' | 'types' | 'at'> & { readonly details: Details },
): NewBudget[] =>
  budgetsOf(ctx, {
    ...of,
    details: details.map((detail) => ({ detail, of: detail })),
    parents: [],
    expiresAt: secondsAfter(of.at, LONGEST_SECONDS),
  })

const least = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** What is left: the least along the way to the root. */
export const remainingOf = (path: readonly Budget[]) => ({
  calls: least(path.map((row) => (row.calls === null ? undefined : row.calls - row.callsSpent))),
  amount: least(path.map((row) => (row.amount === null ? undefined : row.amount - row.amountSpent))),
  until: least(path.map((row) => row.until?.getTime())),
  currency: path.at(-1)?.currency ?? undefined,
})

/** As it is told. */
export const remainingResponse = (path: readonly Budget[]) => {
  const { calls, amount, until, currency } = remainingOf(path)
  return {
    ...(calls === undefined ? {} : { calls_left: calls }),
    ...(amount === undefined ? {} : { amount_left: amount }),
    ...(currency === undefined ? {} : { currency }),
    ...(until === undefined ? {} : { until: Math.floor(until / 1000) }),
  }
}
