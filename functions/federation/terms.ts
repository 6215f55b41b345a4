// On which terms a tenant lets people in through a provider of its own.

import { directory, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import type { Profile } from '#shared/domains/federation/engine/profile'
import type { ProviderTerms } from '#shared/domains/federation/upstream'
import type { Ctx } from './group.ts'

const domainOf = ({ email }: Pick<Profile, 'email'>): string | undefined => email?.slice(email.lastIndexOf('@') + 1)

/** Whether the address is one that may come in: verified by the provider, below exactly one of the domains that the tenant lists. Pure. */
export const isAdmitted = (
  { allowedEmailDomains }: Pick<ProviderTerms, 'allowedEmailDomains'>,
  profile: Pick<Profile, 'email' | 'emailVerified'>,
): boolean => {
  const domain = domainOf(profile)
  return allowedEmailDomains.length === 0 || (profile.emailVerified && domain !== undefined && allowedEmailDomains.includes(domain))
}

/**
 * Whether the tenant speaks for the address itself, since the domain is proved to be its own. Of any other address a provider that the tenant runs could say what
 * the tenant likes.
 */
export const isOfOwnDomain = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId, profile: Profile): Promise<boolean> => {
  const domain = domainOf(profile)
  return profile.emailVerified && domain !== undefined && (await findTenantByDomain(directory(ctx.db), domain)) === tenantId
}
