// A person's own page: their sign-in methods, applications and sessions. Also the pages to change the password and the address.
import { listSessions } from '#shared/domains/account/sessions'
import { pendingCibaRequests } from '#shared/domains/ciba/pending-requests'
import { listOwnFactors } from '#shared/domains/factors/list-factors'
import { consentsOf } from '#shared/domains/oauth/consents'
import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { unconfiguredSms } from '#shared/platform/outbox/sms/configured'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { TextWithMoment } from '#shared/platform/pages/tools.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { Applications } from './applications.page.tsx'
import { PendingApprovals } from './approve.page.tsx'
import { BrowserDevices } from './browsers.page.tsx'
import { listActiveDevices, pushKey } from './browsers.ts'
import type { Ctx } from './group.ts'
import { connectedProviders, pendingEmailChange } from './me.ts'
import { FactorList } from './methods.page.tsx'
import { alarmsOf } from './methods.ts'

const PASSWORD_CODES = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired']

type Session = Awaited<ReturnType<typeof listSessions>>['sessions'][number]

const SessionItem = ({ page, session }: { readonly page: Hosted; readonly session: Session }) => {
  const { me } = page.words
  const place = [session.place, session.address].filter((text) => text !== '').join(' · ')
  return (
    <li>
      <div class="what">
        <strong>{session.device}</strong>
        {session.current ? ` (${me.current})` : ''}
        <small>{place}</small>
        <small>
          <TextWithMoment text={me.seen} at={session.last_seen_at} lang={page.lang} />
        </small>
      </div>
      {session.current ? (
        ''
      ) : (
        <HostedForm page={page} action="/me/sessions/end">
          <input type="hidden" name="session_id" value={session.id} />
          <button type="submit" class="link danger" data-label={me.end} data-busy={page.words.busy} aria-label={`${me.end}: ${session.device}`}>
            {me.end}
          </button>
        </HostedForm>
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
          <SessionItem page={page} session={session} />
        ))}
      </ul>
      {sessions.length < 2 ? (
        ''
      ) : (
        <HostedForm page={page} action="/me/sessions/end-others">
          <Submit kind="second" label={me.endOthers} busy={busy} />
        </HostedForm>
      )}
    </section>
  )
}

type KnownProps = { readonly page: Hosted; readonly email: string; readonly providers: readonly string[] | undefined }
const Known = ({ page, email, providers }: KnownProps) => {
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
  const factors = await listOwnFactors(ctx, principal)
  const requests = await pendingCibaRequests(ctx, principal)
  const consents = await consentsOf(ctx, principal)
  const { me, signedInAs, busy, approve } = page.words
  return pageResult(ctx, page, {
    title: me.title,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(signedInAs, { email: principal.email })}</p>
        <HostedForm page={page} action="/signout" main>
          <Submit kind="second" label={me.signOut} busy={busy} />
        </HostedForm>
        {requests.length === 0 ? (
          ''
        ) : (
          <section class="part">
            <h2>{approve.waiting}</h2>
            <PendingApprovals page={page} requests={requests} />
          </section>
        )}
        <Known page={page} email={principal.email} providers={await connectedProviders(ctx, principal)} />
        <FactorList page={page} factors={factors} alarms={await alarmsOf(ctx, principal)} mayText={ctx.sms !== unconfiguredSms} />
        <BrowserDevices page={page} principal={principal} devices={await listActiveDevices(ctx, principal)} mayAdd={pushKey(ctx) !== undefined} />
        <Applications page={page} consents={consents} />
        <Sessions page={page} sessions={sessions} />
      </>
    ),
  })
}

export const changePasswordPage = async (ctx: Ctx, principal: User, returnTo: string | undefined) => {
  const page = await openPage(ctx, { principal })
  const { me } = page.words
  return pageResult(ctx, page, {
    title: me.passwordTitle,
    script: SCRIPT,
    children: (
      <>
        {returnTo === undefined ? '' : <p class="warn">{me.mustChange}</p>}
        <HostedForm page={page} main>
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
            hint={fillPlaceholders(me.rule, { shortest: page.shortest })}
            autocomplete="new-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'new_password', 'password_unchanged', ...PASSWORD_RULE_ERRORS)}
          />
          <Submit label={me.savePassword} busy={page.words.busy} />
        </HostedForm>
        <Links links={[{ href: HOME, label: page.words.back }]} />
      </>
    ),
  })
}

export const changeEmailPage = async (ctx: Ctx, principal: User) => {
  const page = await openPage(ctx, { principal })
  const { me } = page.words
  return pageResult(ctx, page, {
    title: me.emailTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{me.emailText}</p>
        <HostedForm page={page} main>
          <TextField
            id="new_email"
            label={me.newEmail}
            type="email"
            inputmode="email"
            autocomplete="email"
            value={typedValue(page, 'new_email')}
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
        </HostedForm>
        <Links links={[{ href: HOME, label: page.words.back }]} />
      </>
    ),
  })
}

export const emailCodesPage = async (ctx: Ctx, principal: User) => {
  if (pendingEmailChange(ctx) === undefined) return redirectResult(ctx, '/me/email')
  const page = await openPage(ctx, { principal })
  const { me, startAgain } = page.words
  const wrong = errorOf(page, '', 'invalid_code')
  return pageResult(ctx, page, {
    title: me.codesTitle,
    script: SCRIPT,
    children: (
      <>
        <HostedForm page={page} main>
          <CodeField id="code_new" label={me.codeNew} error={errorOf(page, 'code_new') ?? wrong} first />
          <CodeField
            id="code_current"
            label={fillPlaceholders(me.codeCurrent, { email: principal.email })}
            error={errorOf(page, 'code_current') ?? wrong}
          />
          <Submit label={me.saveEmail} busy={page.words.busy} />
        </HostedForm>
        <Links links={[{ href: '/me/email', label: startAgain }]} />
      </>
    ),
  })
}
