// Whether a tenant may sign up in this deployment.

import { directory, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { hasCompany, lockOnlyCompany } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'

type Deps = Pick<BaseCtx, 'config' | 'db'>

/** @throws AppError sign_up_closed */
export const requireOpenSignUp = (ctx: Pick<BaseCtx, 'config'>): void => {
  if (ctx.config.SIGN_UP !== 'open') throw new AppError('sign_up_closed')
}

/** Whether a single-tenant deployment has its tenant already. */
export const isSingleTenantTaken = async (ctx: Deps): Promise<boolean> =>
  ctx.config.TENANCY === 'single' && (await hasCompany(directory(ctx.db), SYSTEM_TENANT))

/** Whether a tenant may sign up now. */
export const acceptsCompanies = async (ctx: Deps): Promise<boolean> => ctx.config.SIGN_UP === 'open' && !(await isSingleTenantTaken(ctx))

/** Takes a lock, so that of concurrent completions one succeeds. @throws AppError single_tenant */
export const refuseSecondCompany = async (t: TenantTx, ctx: Pick<BaseCtx, 'config'>): Promise<void> => {
  if (ctx.config.TENANCY !== 'single') return
  await lockOnlyCompany(t)
  if (await hasCompany(t, SYSTEM_TENANT)) throw new AppError('single_tenant')
}

/** The default name of a tenant: its domain without the platform's suffix. */
export const companyNameOf = (config: BaseCtx['config'], domain: string): string =>
  domain.slice(0, domain.length - config.TENANT_DOMAIN_SUFFIX.length - 1) || domain
