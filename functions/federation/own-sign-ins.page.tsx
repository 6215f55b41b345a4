// The page of a person's own identities at external providers: connected and available ones, and disconnecting.
import type { Identity } from '#db/store/identities'
import type { Upstream } from '#shared/domains/federation/upstream'
import { HOME } from '#shared/platform/http/pages/return-to'
import { Summary } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { OWN_SIGN_INS_PATH, ownSignIns } from './own-sign-ins.ts'

/** All identities of one provider; they are disconnected together. */
type Connected = { readonly name: string; readonly label: string; readonly addresses: readonly string[] }

const connectedOf = (identities: readonly Identity[], upstreams: readonly Upstream[]): readonly Connected[] =>
  [...new Set(identities.map(({ provider }) => provider))].map((name) => ({
    name,
    label: upstreams.find((upstream) => upstream.name === name)?.displayName ?? name,
    addresses: identities.flatMap(({ provider, email }) => (provider === name && email !== null ? [email] : [])),
  }))

const One = ({ page, connected: { name, label, addresses } }: { readonly page: Hosted; readonly connected: Connected }) => {
  const { me, busy } = page.words
  return (
    <li>
      <div class="what">
        <strong dir="auto">{label}</strong>
        {addresses.map((address) => (
          <small>{address}</small>
        ))}
      </div>
      <HostedForm page={page} action={`${OWN_SIGN_INS_PATH}/remove`}>
        <input type="hidden" name="provider" value={name} />
        <button type="submit" class="link danger" data-label={me.disconnect} data-busy={busy} aria-label={`${me.disconnect}: ${label}`}>
          {me.disconnect}
        </button>
      </HostedForm>
    </li>
  )
}

export const ownSignInsPage = async (ctx: Ctx, principal: User) => {
  const page = await openPage(ctx, { principal })
  const { identities, upstreams } = await ownSignIns(ctx, principal)
  const connected = connectedOf(identities, upstreams)
  const others = upstreams.filter(({ name }) => !connected.some((one) => one.name === name))
  const { me, back, forms } = { ...page.words, forms: page.forms }
  const failed = page.said !== undefined && !Object.hasOwn(page.words.done, page.said.code)
  return pageResult(ctx, page, {
    title: me.providersTitle,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        {failed ? <Summary heading={forms.messages.heading} text={page.notice} /> : ''}
        <p class="quiet">{me.providersText}</p>
        {connected.length === 0 ? (
          <p>{me.noProviders}</p>
        ) : (
          <ul class="rows">
            {connected.map((one) => (
              <One page={page} connected={one} />
            ))}
          </ul>
        )}
        {/* Links instead of forms, as on the sign-in page, because form-action does not allow other sites. */}
        {others.length === 0 ? (
          ''
        ) : (
          <nav class="ways" aria-label={me.connectOther}>
            {others.map(({ name, displayName }) => (
              <a class="second" href={`${OWN_SIGN_INS_PATH}/connect?${new URLSearchParams({ provider: name })}`} rel="nofollow">
                {fillPlaceholders(me.connect, { provider: displayName })}
              </a>
            ))}
          </nav>
        )}
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}
