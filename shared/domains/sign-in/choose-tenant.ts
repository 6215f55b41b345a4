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

const hostOfOrigin = (ctx: Pick<Deps, 'request'>): string | undefined =>
  URL.canParse(ctx.request.origin ?? '') ? hostOf(ctx.request.origin) : undefined

/**
 * The domain by which a request names a tenant. AuthSec's UI sends the host that it runs on when the person names none, so the platform's own names and the host of
 * `Origin` count as not named. Every member that names a tenant is read by this function.
 */
export const namedDomain = (ctx: Pick<Deps, 'config' | 'request'>, text: string | undefined): string | undefined => {
  const domain = text === undefined ? undefined : fullDomain(ctx.config, text)
  return domain === undefined || isPlatformDomain(ctx.config, domain) || domain === hostOfOrigin(ctx) ? undefined : domain
}

/** Whether the request names this tenant or none. */
export const namesOnly = async (ctx: Pick<Deps, 'db' | 'config' | 'request'>, tenantId: TenantId, text: string | undefined): Promise<boolean> => {
  const domain = namedDomain(ctx, text)
  return domain === undefined || (await findTenantByDomain(directory(ctx.db), domain)) === tenantId
}

/** The tenant with the verified domain of the browser's origin. */
export const tenantOfOrigin = async (ctx: Deps): Promise<TenantId | undefined> => {
  const host = hostOfOrigin(ctx)
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
  const named = namedDomain(ctx, given.tenantDomain)
  if (named !== undefined) return findTenantByDomain(directory(ctx.db), named)
  const ofOrigin = await tenantOfOrigin(ctx)
  if (ofOrigin !== undefined) return ofOrigin
  const ofTicket = await tenantOfTicket(ctx, given.email, given.transactionToken)
  if (ofTicket !== undefined) return ofTicket
  const [lastUsed] = await findAdministeredTenants(directory(ctx.db), emailHash(ctx, given.email))
  return lastUsed
}
