// Sign-in for an address in a domain that an organisation has proved: with the organisation's own provider, or with a password.

import { homeRealm } from '#shared/domains/federation/home-realm'
import { findSignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { providerHref } from './providers.part.tsx'

/** Uses links, not forms: browsers apply `form-action` to every redirect after a form, and a provider may redirect anywhere. */
export const companyPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  const page = await openPage(ctx, { principal, tenantId: signInContext.kind === 'tenant' ? signInContext.tenantId : undefined })
  const { email } = page.visit
  const realm = email === undefined ? undefined : await homeRealm(ctx, email, signInContext)
  if (realm === undefined || email === undefined) return redirectResult(ctx, withSignInContext('/signin', contextRequest))
  const there = signInContext.kind === 'tenant' ? contextRequest : { ...contextRequest, tenant: realm.domain }
  const { provider, signIn } = page.words
  return pageResult(ctx, page, {
    title: fillPlaceholders(provider.companyTitle, { tenant: realm.tenantName }),
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(provider.companySignIn, { tenant: realm.tenantName, email })}</p>
        {realm.providers.map(({ protocol, providerName, displayName }, n) => (
          <a
            class={n === 0 ? 'primary' : 'second'}
            href={providerHref(there, providerName, protocol === 'saml' ? '/signin/saml' : '/signin/provider')}
            rel="nofollow"
          >
            {fillPlaceholders(provider.goOn, { provider: displayName })}
          </a>
        ))}
        <Links
          links={[
            { href: withSignInContext('/signin/password', contextRequest), label: provider.usePassword },
            { href: withSignInContext('/signin', contextRequest), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}
