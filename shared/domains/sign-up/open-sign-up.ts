// Whether a company may sign up here, whatever door it came through.

import { directory, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { hasCompany, lockOnlyCompany } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'

type Deps = Pick<BaseCtx, 'config' | 'db'>

/** @throws AppError sign_up_closed */
export const requireOpenSignUp = (ctx: Pick<BaseCtx, 'config'>): void => {
  if (ctx.config.SIGN_UP !== 'open') throw new AppError('sign_up_closed')
}

/** Whether the one company of a deployment for one is there already. */
export const isSingleTenantTaken = async (ctx: Deps): Promise<boolean> =>
  ctx.config.TENANCY === 'single' && (await hasCompany(directory(ctx.db), SYSTEM_TENANT))

/** Whether a company may sign up here, now. */
export const acceptsCompanies = async (ctx: Deps): Promise<boolean> => ctx.config.SIGN_UP === 'open' && !(await isSingleTenantTaken(ctx))

/** Under a lock, so that of two completions at once only one sees an empty house. @throws AppError single_tenant */
export const refuseSecondCompany = async (t: TenantTx, ctx: Pick<BaseCtx, 'config'>): Promise<void> => {
  if (ctx.config.TENANCY !== 'single') return
  await lockOnlyCompany(t)
  if (await hasCompany(t, SYSTEM_TENANT)) throw new AppError('single_tenant')
}

/** What a company is called until it says otherwise: what stands before the platform's suffix. */
export const companyNameOf = (config: BaseCtx['config'], domain: string): string =>
  domain.slice(0, domain.length - config.TENANT_DOMAIN_SUFFIX.length - 1) || domain
