// Sign-in for an address whose domain an organisation has proved: at that organisation's own provider, or with a password all the same.

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

/** Links: a provider leads wherever it likes, and browsers hold what a form leads to to the page's own policy. */
export const companyPage = async (ctx: Ctx, asked: SignInContextRequest, principal: User | undefined) => {
  const door = await findSignInContext(ctx, asked)
  const page = await openPage(ctx, { principal, tenantId: door.kind === 'tenant' ? door.tenantId : undefined })
  const { email } = page.visit
  const realm = email === undefined ? undefined : await homeRealm(ctx, email, door)
  if (realm === undefined || email === undefined) return redirectResult(ctx, withSignInContext('/signin', asked))
  const there = door.kind === 'tenant' ? asked : { ...asked, tenant: realm.domain }
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
            { href: withSignInContext('/signin/password', asked), label: provider.usePassword },
            { href: withSignInContext('/signin', asked), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}
