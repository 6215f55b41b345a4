// The pages to add a passkey or a phone.
import { loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { applicationOf } from '#shared/platform/http/pages/sign-in-path'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { CodeField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { unconfirmedPhone } from './add-factor.ts'
import type { Ctx } from './group.ts'

/** Whether the caller may enrol now. A required first factor needs proof of the mailbox first. @throws AppError insufficient_user_authentication */
const mayEnrol = (ctx: Ctx, principal: User): Promise<boolean> =>
  loadEnrolmentContext(withPageOrigin(ctx), principal, {}).then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.code === 'mailbox_proof_required') return false
      throw error
    },
  )

const mailboxPath = ({ request }: Ctx): string => withSignInContext('/signin/mailbox', { client_id: applicationOf(request) })

export const passkeyPage = async (ctx: Ctx, principal: User) => {
  if (!(await mayEnrol(ctx, principal))) return redirectResult(ctx, mailboxPath(ctx))
  const page = await openPage(ctx, { principal })
  const { me, errors, back } = page.words
  return pageResult(ctx, page, {
    title: me.passkeyTitle,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <p class="quiet">{me.passkeyText}</p>
        <p class="warn" data-without-passkeys>
          {errors.passkey_unsupported}
        </p>
        <PasskeyButton page={page} next={HOME} label={me.createPasskey} begin="/me/passkey/begin" finish="/me/passkey/finish" who={{}} creates main />
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}

const NUMBER = ['sms_number_refused', 'sms_failed', 'sms_not_configured', 'too_many_sms']

export const phonePage = async (ctx: Ctx, principal: User) => {
  if (!(await mayEnrol(ctx, principal))) return redirectResult(ctx, mailboxPath(ctx))
  const page = await openPage(ctx, { principal })
  const { me, busy, back } = page.words
  return pageResult(ctx, page, {
    title: me.phoneTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{me.phoneText}</p>
        <HostedForm page={page} main>
          <TextField
            id="phone_number"
            label={me.phone}
            hint={me.phoneHint}
            type="tel"
            inputmode="tel"
            autocomplete="tel"
            maxlength={40}
            value={typedValue(page, 'phone_number')}
            error={errorOf(page, 'phone_number', ...NUMBER)}
            first
          />
          <Submit label={me.sendCode} busy={busy} />
        </HostedForm>
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}

const CODE = ['invalid_sms_code', 'sms_code_expired', 'sms_attempts_used', 'sms_not_initiated']

export const phoneCodePage = async (ctx: Ctx, principal: User) => {
  const phone = await unconfirmedPhone(ctx, principal)
  if (phone === undefined) return redirectResult(ctx, '/me/phone')
  const page = await openPage(ctx, { principal })
  const { me, busy, factor } = page.words
  return pageResult(ctx, page, {
    title: me.phoneCodeTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet" dir="auto">
          {fillPlaceholders(me.phoneCodeText, { phone })}
        </p>
        <HostedForm page={page} main>
          <CodeField id="code" label={factor.code} error={errorOf(page, 'code', ...CODE)} first />
          <Submit label={me.confirmPhone} busy={busy} />
        </HostedForm>
        <Links links={[{ href: '/me/phone', label: me.otherNumber }]} />
      </>
    ),
  })
}
