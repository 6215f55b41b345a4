// Which second factors a person has, and whether one is required.
import type { SessionRequirements, SignInTenant } from '#db/store/sign-in'
import type { FactorKind } from '#db/store/users'
import { acrOf } from '#shared/platform/tokens/acr'

export type FactorState = { readonly tenant: SignInTenant | undefined; readonly kinds: readonly FactorKind[]; readonly required: boolean }

/** Required when one is enrolled, or when the tenant demands one. */
export const factorState = ({ tenant, kinds }: Pick<SessionRequirements, 'tenant' | 'kinds'>): FactorState => ({
  tenant,
  kinds,
  required: kinds.length > 0 || tenant?.settings.requireSecondFactor === true,
})

/** Whether the verified factors suffice: one factor if no more are required, otherwise two. */
export const isSatisfied = (required: boolean, verified: readonly string[]): boolean =>
  verified.length > 0 && (!required || acrOf(verified) !== 'aal1')
