// What else than a password a page of a door offers. Loaded with the first such page: a start carries nothing of it.
import type { SignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { Ctx } from './group.ts'

export const findSignInOptions = async (ctx: Ctx, signInContext: SignInContext) => {
  const [{ findPageProviders }, { offeredSamlProviders }, { ProviderLinks }] = await Promise.all([
    import('#shared/domains/federation/page-providers'),
    import('#shared/domains/federation/saml-providers'),
    import('./providers.part.tsx'),
  ])
  const { upstreams } = await findPageProviders(ctx, signInContext)
  const saml = signInContext.kind === 'tenant' ? await offeredSamlProviders(ctx, signInContext.tenantId, signInContext.clientId) : []
  return { ProviderLinks, upstreams, saml }
}
