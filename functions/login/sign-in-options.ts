// The ways to sign in that a sign-in page offers besides a password. Imported with the first such page, to keep the cold start short.
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
