// The second step of a sign-in: a code of an app, a backup code or a text message; or adding an app where a factor is required and none exists.

import { appSetupPage } from '#shared/domains/factors/app-setup.page.tsx'
import type { FactorContext } from '#shared/domains/factors/factor-context'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { CodeField, KnownField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { type AvailableFactors, type FactorPageRequest, factorPath, factorsOf, loadMailboxContext, loadSignInFactorContext } from './factor.ts'
import type { Ctx } from './group.ts'

const CODES = [
  'invalid_totp_code',
  'invalid_sms_code',
  'sms_code_expired',
  'sms_attempts_used',
  'totp_not_enabled',
  'sms_not_enabled',
  'factor_paused',
]

/** The person of the login transaction; undefined when it has expired or was finished. */
const live = async (ctx: Ctx, find: (ctx: Ctx) => Promise<FactorContext> = loadSignInFactorContext): Promise<FactorContext | undefined> =>
  find(ctx).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'authentication_required') return undefined
    throw error
  })

const isOver = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const page = await openPage(ctx, {})
  const { factor, startAgain } = page.words
  return pageResult(
    ctx,
    page,
    endedContent({
      title: factor.overTitle,
      text: factor.overText,
      again: { href: withSignInContext('/signin', contextRequest), label: startAgain },
    }),
  )
}

type Way = NonNullable<FactorPageRequest['by']>
const waysOf = ({ kinds }: AvailableFactors): readonly Way[] => [
  ...(kinds.has('totp') ? (['app'] as const) : []),
  ...(kinds.has('sms') ? (['sms'] as const) : []),
  // Backup codes are issued together with an app.
  ...(kinds.has('totp') ? (['backup'] as const) : []),
]

const CodeInput = ({ page, by, own }: { readonly page: Hosted; readonly by: Way; readonly own: AvailableFactors }) => {
  const { factor } = page.words
  const hints = { app: factor.appText, sms: fillPlaceholders(factor.smsText, { phone: own.phone ?? '' }), backup: factor.backupText }
  return (
    <TextField
      id="code"
      label={by === 'backup' ? factor.backupCode : factor.code}
      hint={hints[by]}
      inputmode={by === 'backup' ? 'text' : 'numeric'}
      autocomplete={by === 'backup' ? 'off' : 'one-time-code'}
      autocapitalize={by === 'backup' ? 'characters' : 'none'}
      maxlength={40}
      code
      error={errorOf(page, 'code', ...CODES)}
      first
    />
  )
}

export const factorPage = async (ctx: Ctx, pageRequest: FactorPageRequest) => {
  const factorContext = await live(ctx)
  if (factorContext === undefined) return isOver(ctx, pageRequest)
  const own = await factorsOf(ctx, factorContext)
  if (own.kinds.size === 0) return redirectResult(ctx, withSignInContext('/signin/enrol', pageRequest))
  const page = await openPage(ctx, { tenantId: factorContext.tenantId })
  const { factor, signIn, busy } = page.words
  const ways = waysOf(own)
  const by = pageRequest.by !== undefined && ways.includes(pageRequest.by) ? pageRequest.by : ways[0]
  const labels = { app: factor.useApp, sms: factor.useSms, backup: factor.useBackup }
  return pageResult(ctx, page, {
    title: factor.title,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(page.words.signedInAs, { email: factorContext.user.email })}</p>
        {by === undefined ? (
          ''
        ) : (
          <HostedForm page={page} action={factorPath(pageRequest, by)} main>
            <CodeInput page={page} by={by} own={own} />
            <Submit label={factor.submit} busy={signIn.busy} />
          </HostedForm>
        )}
        {own.kinds.has('webauthn') ? (
          <PasskeyButton
            page={page}
            action={withSignInContext('/signin/finish', pageRequest)}
            label={signIn.passkey}
            begin="biometric/verifyLoginBegin"
            finish="biometric/verifyLoginFinish"
            who={{ email: factorContext.user.email, tenant_id: factorContext.tenantId }}
          />
        ) : (
          ''
        )}
        {own.kinds.has('sms') ? (
          <HostedForm page={page} action={withSignInContext('/signin/factor/sms', pageRequest)}>
            <Submit kind="second" label={fillPlaceholders(factor.sendSms, { phone: own.phone ?? '' })} busy={busy} />
          </HostedForm>
        ) : (
          ''
        )}
        <Links
          links={[
            ...ways.filter((way) => way !== by).map((way) => ({ href: factorPath(pageRequest, way), label: labels[way] })),
            { href: withSignInContext('/recover/access', pageRequest), label: page.words.access.link },
            { href: withSignInContext('/signin', pageRequest), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}

export const enrolPage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const factorContext = await live(ctx)
  if (factorContext === undefined) return isOver(ctx, contextRequest)
  if ((await factorsOf(ctx, factorContext)).kinds.size > 0) return redirectResult(ctx, factorPath(contextRequest, undefined))
  return appSetupPage(
    ctx,
    undefined,
    { href: withSignInContext('/signin', contextRequest) },
    withSignInContext('/signin/mailbox', contextRequest),
    withSignInContext('/signin/finish', contextRequest),
  )
}

export const mailboxPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const factorContext = await live(ctx, (here) => loadMailboxContext(here, principal))
  if (factorContext === undefined) return isOver(ctx, contextRequest)
  const page = await openPage(ctx, { principal, tenantId: factorContext.tenantId })
  const { factor, signUp, busy } = page.words
  const { email } = factorContext.user
  // The field for the code comes first once a code was sent or entered.
  const isSent = page.visit.held?.mailbox === email || page.said !== undefined
  const Send = (
    <HostedForm page={page} action={withSignInContext('/signin/mailbox/send', contextRequest)} main={!isSent}>
      <Submit kind={isSent ? 'second' : 'primary'} label={isSent ? signUp.again : factor.sendMailbox} busy={busy} />
    </HostedForm>
  )
  const Enter = (
    <HostedForm page={page} main={isSent}>
      <KnownField id="email" label={signUp.email} autocomplete="username" value={email} />
      <CodeField id="otp" label={signUp.code} error={errorOf(page, 'otp', 'invalid_code')} first={isSent} />
      <Submit kind={isSent ? 'primary' : 'second'} label={page.words.goOn} busy={busy} />
    </HostedForm>
  )
  return pageResult(ctx, page, {
    title: factor.mailboxTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(isSent ? signUp.codeText : factor.mailboxText, { email })}</p>
        {isSent ? (
          <>
            {Enter}
            {Send}
          </>
        ) : (
          <>
            {Send}
            <details>
              <summary>{factor.haveCode}</summary>
              {Enter}
            </details>
          </>
        )}
      </>
    ),
  })
}
