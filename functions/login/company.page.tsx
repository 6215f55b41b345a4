// Sign-in for an address whose domain an organisation has proved: at that organisation's own provider, or with a password all the same.

import { homeRealm } from '#shared/domains/federation/home-realm'
import { at, findDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { goTo } from '#shared/platform/http/pages/go'
import { answerPage, openPage } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { hrefOf } from './providers.part.tsx'

/** Links: a provider leads wherever it likes, and browsers hold what a form leads to to the page's own policy. */
export const companyPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const door = await findDoor(ctx, asked)
  const page = await openPage(ctx, { principal, tenantId: door.kind === 'tenant' ? door.tenantId : undefined })
  const { email } = page.visit
  const realm = email === undefined ? undefined : await homeRealm(ctx, email, door)
  if (realm === undefined || email === undefined) return goTo(ctx, at('/signin', asked))
  const there = door.kind === 'tenant' ? asked : { ...asked, tenant: realm.domain }
  const { provider, signIn } = page.words
  return answerPage(ctx, page, {
    title: fill(provider.companyTitle, { tenant: realm.tenantName }),
    children: (
      <>
        <p class="quiet who-is">{fill(provider.companySignIn, { tenant: realm.tenantName, email })}</p>
        {realm.providers.map(({ protocol, providerName, displayName }, n) => (
          <a
            class={n === 0 ? 'primary' : 'second'}
            href={hrefOf(there, providerName, protocol === 'saml' ? '/signin/saml' : '/signin/provider')}
            rel="nofollow"
          >
            {fill(provider.goOn, { provider: displayName })}
          </a>
        ))}
        <Links
          links={[
            { href: at('/signin/password', asked), label: provider.usePassword },
            { href: at('/signin', asked), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}
