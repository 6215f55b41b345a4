// Whether somebody wants to sign out, where nothing but the address of a page says so.

import { Submit } from '#shared/platform/pages/form.tsx'
import { answerPage, Form, openPage } from '#shared/platform/pages/hosted.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { mayLeadTo } from './consent.page.tsx'
import type { Ctx } from './group.ts'
import type { LogoutAsked } from './logout.schema.ts'
import { LOGOUT } from './logout.strings.ts'

type Kept = Pick<LogoutAsked, 'client_id' | 'post_logout_redirect_uri' | 'state' | 'ui_locales'>

const Hidden = ({ name, value }: { readonly name: string; readonly value: string | undefined }) =>
  value === undefined ? '' : <input type="hidden" name={name} value={value} />

export const logoutPage = async (ctx: Ctx, principal: User, asked: Kept, target: string | undefined) => {
  const page = await openPage(ctx, { principal, uiLocales: asked.ui_locales })
  const words = LOGOUT[page.lang]
  const answer = answerPage(ctx, page, {
    title: words.title,
    children: (
      <>
        <p>{fill(words.text, { email: principal.email })}</p>
        {target === undefined ? '' : <p class="quiet">{fill(words.onward, { host: new URL(target).host })}</p>}
        <Form page={page} action="/oauth/logout/confirm" main>
          <Hidden name="client_id" value={asked.client_id} />
          <Hidden name="post_logout_redirect_uri" value={asked.post_logout_redirect_uri} />
          <Hidden name="state" value={asked.state} />
          <div class="pair">
            <Submit kind="second" name="decision" value="stay" label={words.stay} busy={words.busy} />
            <Submit name="decision" value="sign_out" label={words.signOut} busy={words.busy} />
          </div>
        </Form>
      </>
    ),
  })
  return target === undefined ? answer : mayLeadTo(answer, target)
}
