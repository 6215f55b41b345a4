// Selects the tenant of an administrator: the named one, else that of the browser's verified domain, else that of the login transaction, else one where the
// address was verified.

import { directory, forTenant, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { findAdministeredTenants, findUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { loadLoginTransaction, readTransactionHandle } from '#shared/domains/login-transaction/login-transaction'
import type { Config } from '#shared/kernel/config'
import { emailHash } from '#shared/platform/crypto/email-hash'

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'config' | 'hash' | 'request'>

const hostOf = (url: string | undefined): string | undefined => (url === undefined ? undefined : new URL(url).hostname)

/** The platform's own names, which name no tenant. */
export const isPlatformDomain = (config: Config, domain: string): boolean =>
  [config.TENANT_DOMAIN_SUFFIX, hostOf(config.BASE_URL), hostOf(config.PUBLIC_UI_ORIGIN)].includes(domain)

/** The spellings of `tenant_domain` and similar members: any case, with or without the platform's suffix. */
export const fullDomain = (config: Config, text: string): string => {
  const domain = text.trim().toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  return domain.includes('.') || isPlatformDomain(config, domain) ? domain : `${domain}.${config.TENANT_DOMAIN_SUFFIX}`
}

/** The tenant with the verified domain of the browser's origin. */
export const tenantOfOrigin = async (ctx: Deps): Promise<TenantId | undefined> => {
  const host = URL.canParse(ctx.request.origin ?? '') ? hostOf(ctx.request.origin) : undefined
  if (host === undefined || isPlatformDomain(ctx.config, host)) return undefined
  return findTenantByDomain(directory(ctx.db), host)
}

/** A live login transaction counts only for its own person, not for another one in the same browser. */
const tenantOfTicket = async (ctx: Deps, email: string, inBody: string | undefined): Promise<TenantId | undefined> => {
  const handle = readTransactionHandle(ctx, 'login', inBody)
  const loginTransaction = await loadLoginTransaction(ctx, 'login', handle)
  if (handle === undefined || loginTransaction?.userId == null) return undefined
  const user = await findUser(forTenant(ctx.db, handle.tenantId), loginTransaction.userId)
  return user?.email === email ? handle.tenantId : undefined
}

/** Undefined when the tenant is unknown; the caller answers as to a wrong password. */
export const chooseAdministratorTenant = async (
  ctx: Deps,
  given: { readonly email: string; readonly tenantDomain?: string | undefined; readonly transactionToken?: string | undefined },
): Promise<TenantId | undefined> => {
  const named = given.tenantDomain === undefined ? undefined : fullDomain(ctx.config, given.tenantDomain)
  if (named !== undefined && !isPlatformDomain(ctx.config, named)) return findTenantByDomain(directory(ctx.db), named)
  const ofOrigin = await tenantOfOrigin(ctx)
  if (ofOrigin !== undefined) return ofOrigin
  const ofTicket = await tenantOfTicket(ctx, given.email, given.transactionToken)
  if (ofTicket !== undefined) return ofTicket
  const [lastUsed] = await findAdministeredTenants(directory(ctx.db), emailHash(ctx, given.email))
  return lastUsed
}
