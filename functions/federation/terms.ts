// The terms on which a tenant admits people through its own provider.

import { directory, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import type { Profile } from '#shared/domains/federation/engine/profile'
import type { ProviderTerms } from '#shared/domains/federation/upstream'
import type { Ctx } from './group.ts'

const domainOf = ({ email }: Pick<Profile, 'email'>): string | undefined => email?.slice(email.lastIndexOf('@') + 1)

/** Whether the address is admitted: verified by the provider, and in one of the domains that the tenant lists (subdomains do not count). Pure. */
export const isAdmitted = (
  { allowedEmailDomains }: Pick<ProviderTerms, 'allowedEmailDomains'>,
  profile: Pick<Profile, 'email' | 'emailVerified'>,
): boolean => {
  const domain = domainOf(profile)
  return allowedEmailDomains.length === 0 || (profile.emailVerified && domain !== undefined && allowedEmailDomains.includes(domain))
}

/**
 * Whether the tenant has verified the domain of the address, and so may vouch for it. For any other address, a provider run by the tenant could claim anything.
 */
export const isOfOwnDomain = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId, profile: Profile): Promise<boolean> => {
  const domain = domainOf(profile)
  return profile.emailVerified && domain !== undefined && (await findTenantByDomain(directory(ctx.db), domain)) === tenantId
}
