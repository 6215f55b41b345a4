// What COMPATIBILITY=authsec gives back to the original's clients in a closed deployment.
import type { Tenant } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'

type Deps = Pick<BaseCtx, 'config'>

/** Whether answers may tell if an address has an account. */
export const disclosesAccounts = (ctx: Deps): boolean => ctx.config.COMPATIBILITY === 'authsec'

/** Whether end users may sign in before they proved their address. The tenant's own word counts first. */
export const allowsDirectSignUp = (ctx: Deps, tenant: Pick<Tenant, 'settings'>): boolean =>
  tenant.settings.directSignUp ?? ctx.config.COMPATIBILITY === 'authsec'
