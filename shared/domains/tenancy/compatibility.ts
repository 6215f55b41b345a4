// What COMPATIBILITY=authsec enables for AuthSec's clients in a closed deployment.
import type { Tenant } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'

type Deps = Pick<BaseCtx, 'config'>

/** Whether answers may disclose that an address has an account. */
export const disclosesAccounts = (ctx: Deps): boolean => ctx.config.COMPATIBILITY === 'authsec'

/** Whether end users may sign in before they prove their address. The tenant's setting takes precedence. */
export const allowsDirectSignUp = (ctx: Deps, tenant: Pick<Tenant, 'settings'>): boolean =>
  tenant.settings.directSignUp ?? ctx.config.COMPATIBILITY === 'authsec'
