// Confirms a sign-out that a link requests without a valid id_token_hint.

import { Submit } from '#shared/platform/pages/form.tsx'
import { HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { mayRedirectFromConsent } from './consent.page.tsx'
import type { Ctx } from './group.ts'
import type { LogoutParameters } from './logout.schema.ts'
import { LOGOUT } from './logout.strings.ts'

type Stored = Pick<LogoutParameters, 'client_id' | 'post_logout_redirect_uri' | 'state' | 'ui_locales'>

const Hidden = ({ name, value }: { readonly name: string; readonly value: string | undefined }) =>
  value === undefined ? '' : <input type="hidden" name={name} value={value} />

export const logoutPage = async (ctx: Ctx, principal: User, request: Stored, target: string | undefined) => {
  const page = await openPage(ctx, { principal, uiLocales: request.ui_locales })
  const words = LOGOUT[page.lang]
  const answer = pageResult(ctx, page, {
    title: words.title,
    children: (
      <>
        <p>{fillPlaceholders(words.text, { email: principal.email })}</p>
        {target === undefined ? '' : <p class="quiet">{fillPlaceholders(words.onward, { host: new URL(target).host })}</p>}
        <HostedForm page={page} action="/oauth/logout/confirm" main>
          <Hidden name="client_id" value={request.client_id} />
          <Hidden name="post_logout_redirect_uri" value={request.post_logout_redirect_uri} />
          <Hidden name="state" value={request.state} />
          <div class="pair">
            <Submit kind="second" name="decision" value="stay" label={words.stay} busy={words.busy} />
            <Submit name="decision" value="sign_out" label={words.signOut} busy={words.busy} />
          </div>
        </HostedForm>
      </>
    ),
  })
  return target === undefined ? answer : mayRedirectFromConsent(answer, target)
}
