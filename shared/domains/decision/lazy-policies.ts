// Loads decisions with the first question, so that functions that never decide do not carry them at their start.
import type { BaseCtx } from '#shared/domains/context'
import type { Policies } from './policies.ts'

export const lazyPolicies = (ctx: Pick<BaseCtx, 'db' | 'clock'>): Policies => {
  let making: Promise<Policies> | undefined
  let made: Policies | undefined
  const policies = (): Promise<Policies> => {
    making ??= import('./policies.ts').then(({ createPolicies }) => {
      made = createPolicies(ctx)
      return made
    })
    return making
  }
  return { load: (tenantId, subjects) => made?.load(tenantId, subjects) ?? policies().then((ready) => ready.load(tenantId, subjects)) }
}
