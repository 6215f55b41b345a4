// A person's own page: how they sign in, where they are signed in, and how to end that.

import { listSessions } from '#shared/domains/account/sessions'
import { waitingRequests } from '#shared/domains/ciba/shown'
import { ownFactors } from '#shared/domains/factors/own'
import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { goTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import { noSms } from '#shared/platform/outbox/sms/configured'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { Waiting } from './approve.page.tsx'
import { Devices } from './browsers.page.tsx'
import { askedDevices, pushKey } from './browsers.ts'
import type { Ctx } from './group.ts'
import { connectedProviders, heldChange } from './me.ts'
import { Factors, moment } from './methods.page.tsx'
import { alarmsOf } from './methods.ts'

const PASSWORD_CODES = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired']

type Session = Awaited<ReturnType<typeof listSessions>>['sessions'][number]

const Where = ({ page, session }: { readonly page: Hosted; readonly session: Session }) => {
  const { me } = page.words
  const place = [session.place, session.address].filter((text) => text !== '').join(' · ')
  return (
    <li>
      <div class="what">
        <strong>{session.device}</strong>
        {session.current ? ` (${me.current})` : ''}
        <small>{place}</small>
        <small>
          <time datetime={session.last_seen_at}>{fill(me.seen, { at: moment(page, session.last_seen_at) })}</time>
        </small>
      </div>
      {session.current ? (
        ''
      ) : (
        <Form page={page} action="/me/sessions/end">
          <input type="hidden" name="session_id" value={session.id} />
          <button type="submit" class="link" data-label={me.end} data-busy={page.words.busy} aria-label={`${me.end}: ${session.device}`}>
            {me.end}
          </button>
        </Form>
      )}
    </li>
  )
}

const Sessions = ({ page, sessions }: { readonly page: Hosted; readonly sessions: readonly Session[] }) => {
  const { me, busy } = page.words
  return (
    <section class="part">
      <h2>{me.sessions}</h2>
      <ul class="rows">
        {sessions.map((session) => (
          <Where page={page} session={session} />
        ))}
      </ul>
      {sessions.length < 2 ? (
        ''
      ) : (
        <Form page={page} action="/me/sessions/end-others">
          <Submit kind="second" label={me.endOthers} busy={busy} />
        </Form>
      )}
    </section>
  )
}

type Ways = { readonly page: Hosted; readonly email: string; readonly providers: readonly string[] | undefined }
const Known = ({ page, email, providers }: Ways) => {
  const { me } = page.words
  return (
    <section class="part">
      <h2>{me.methods}</h2>
      <ul class="rows">
        <li>
          <div class="what">
            <strong>{me.email}</strong>
            <small>{email}</small>
          </div>
          <a href="/me/email">{me.changeEmail}</a>
        </li>
        <li>
          <div class="what">
            <strong>{me.password}</strong>
          </div>
          <a href="/me/password">{me.changePassword}</a>
        </li>
        {providers === undefined ? (
          ''
        ) : (
          <li>
            <div class="what">
              <strong>{me.providers}</strong>
              <small>{providers.length === 0 ? me.noneConnected : providers.join(', ')}</small>
            </div>
            <a href="/me/providers">{me.manage}</a>
          </li>
        )}
      </ul>
    </section>
  )
}

export const mePage = async (ctx: Ctx, principal: User) => {
  const page = await openPage(ctx, { principal })
  const { sessions } = await listSessions(ctx, principal, page.lang)
  const factors = await ownFactors(ctx, principal)
  const requests = await waitingRequests(ctx, principal)
  const { me, signedInAs, busy, approve } = page.words
  return answerPage(ctx, page, {
    title: me.title,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(signedInAs, { email: principal.email })}</p>
        <Form page={page} action="/signout" main>
          <Submit kind="second" label={me.signOut} busy={busy} />
        </Form>
        {requests.length === 0 ? (
          ''
        ) : (
          <section class="part">
            <h2>{approve.waiting}</h2>
            <Waiting page={page} requests={requests} />
          </section>
        )}
        <Known page={page} email={principal.email} providers={await connectedProviders(ctx, principal)} />
        <Factors page={page} factors={factors} alarms={await alarmsOf(ctx, principal)} mayText={ctx.sms !== noSms} />
        <Devices page={page} principal={principal} devices={await askedDevices(ctx, principal)} mayAdd={pushKey(ctx) !== undefined} />
        <Sessions page={page} sessions={sessions} />
      </>
    ),
  })
}

export const changePasswordPage = async (ctx: Ctx, principal: User, returnTo: string | undefined) => {
  const page = await openPage(ctx, { principal })
  const { me } = page.words
  return answerPage(ctx, page, {
    title: me.passwordTitle,
    script: SCRIPT,
    children: (
      <>
        {returnTo === undefined ? '' : <p class="warn">{me.mustChange}</p>}
        <Form page={page} main>
          <KnownField id="email" label={me.email} autocomplete="username" value={principal.email} />
          <PasswordField
            id="current_password"
            label={me.currentPassword}
            autocomplete="current-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'current_password', ...PASSWORD_CODES)}
            first
          />
          <PasswordField
            id="new_password"
            label={me.newPassword}
            hint={fill(me.rule, { shortest: page.shortest })}
            autocomplete="new-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'new_password', 'password_unchanged', ...PASSWORD_RULE_ERRORS)}
          />
          <Submit label={me.savePassword} busy={page.words.busy} />
        </Form>
        <Links links={[{ href: HOME, label: page.words.back }]} />
      </>
    ),
  })
}

export const changeEmailPage = async (ctx: Ctx, principal: User) => {
  const page = await openPage(ctx, { principal })
  const { me } = page.words
  return answerPage(ctx, page, {
    title: me.emailTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{me.emailText}</p>
        <Form page={page} main>
          <TextField
            id="new_email"
            label={me.newEmail}
            type="email"
            inputmode="email"
            autocomplete="email"
            value={typed(page, 'new_email')}
            error={errorOf(page, 'new_email', 'conflict')}
            first
          />
          <PasswordField
            id="current_password"
            label={me.currentPassword}
            autocomplete="current-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'current_password', ...PASSWORD_CODES)}
          />
          <Submit label={me.sendCodes} busy={page.words.busy} />
        </Form>
        <Links links={[{ href: HOME, label: page.words.back }]} />
      </>
    ),
  })
}

export const emailCodesPage = async (ctx: Ctx, principal: User) => {
  if (heldChange(ctx) === undefined) return goTo(ctx, '/me/email')
  const page = await openPage(ctx, { principal })
  const { me, startAgain } = page.words
  const wrong = errorOf(page, '', 'invalid_code')
  return answerPage(ctx, page, {
    title: me.codesTitle,
    script: SCRIPT,
    children: (
      <>
        <Form page={page} main>
          <CodeField id="code_new" label={me.codeNew} error={errorOf(page, 'code_new') ?? wrong} first />
          <CodeField id="code_current" label={fill(me.codeCurrent, { email: principal.email })} error={errorOf(page, 'code_current') ?? wrong} />
          <Submit label={me.saveEmail} busy={page.words.busy} />
        </Form>
        <Links links={[{ href: '/me/email', label: startAgain }]} />
      </>
    ),
  })
}
