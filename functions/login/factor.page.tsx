// The second step of a sign-in: a code of an app, a backup code, a text message; and adding an app where one is owed and none is there.

import { appPage } from '#shared/domains/factors/app-setup.page.tsx'
import type { Stage } from '#shared/domains/factors/stage'
import { at } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { goTo } from '#shared/platform/http/pages/go'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { CodeField, KnownField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { type FactorAsked, factorPath, factorsOf, mailboxOwner, type OwnFactors, signingIn } from './factor.ts'
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

/** The sign-in, unless it is over. */
const live = async (ctx: Ctx, find: (ctx: Ctx) => Promise<Stage> = signingIn): Promise<Stage | undefined> =>
  find(ctx).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'authentication_required') return undefined
    throw error
  })

const isOver = async (ctx: Ctx, asked: DoorAsked) => {
  const page = await openPage(ctx, {})
  const { factor, startAgain } = page.words
  return answerPage(
    ctx,
    page,
    overContent({ title: factor.overTitle, text: factor.overText, again: { href: at('/signin', asked), label: startAgain } }),
  )
}

type Way = NonNullable<FactorAsked['by']>
const waysOf = ({ kinds }: OwnFactors): readonly Way[] => [
  ...(kinds.has('totp') ? (['app'] as const) : []),
  ...(kinds.has('sms') ? (['sms'] as const) : []),
  // Backup codes are handed out with an app.
  ...(kinds.has('totp') ? (['backup'] as const) : []),
]

const CodeInput = ({ page, by, own }: { readonly page: Hosted; readonly by: Way; readonly own: OwnFactors }) => {
  const { factor } = page.words
  const hints = { app: factor.appText, sms: fill(factor.smsText, { phone: own.phone ?? '' }), backup: factor.backupText }
  return (
    <TextField
      id="code"
      label={by === 'backup' ? factor.backupCode : factor.code}
      hint={hints[by]}
      inputmode={by === 'backup' ? 'text' : 'numeric'}
      autocomplete={by === 'backup' ? 'off' : 'one-time-code'}
      maxlength={40}
      code
      error={errorOf(page, 'code', ...CODES)}
      first
    />
  )
}

export const factorPage = async (ctx: Ctx, asked: FactorAsked) => {
  const stage = await live(ctx)
  if (stage === undefined) return isOver(ctx, asked)
  const own = await factorsOf(ctx, stage)
  if (own.kinds.size === 0) return goTo(ctx, at('/signin/enrol', asked))
  const page = await openPage(ctx, { tenantId: stage.tenantId })
  const { factor, signIn, busy } = page.words
  const ways = waysOf(own)
  const by = asked.by !== undefined && ways.includes(asked.by) ? asked.by : ways[0]
  const labels = { app: factor.useApp, sms: factor.useSms, backup: factor.useBackup }
  return answerPage(ctx, page, {
    title: factor.title,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(page.words.signedInAs, { email: stage.user.email })}</p>
        {by === undefined ? (
          ''
        ) : (
          <Form page={page} action={factorPath(asked, by)} main>
            <CodeInput page={page} by={by} own={own} />
            <Submit label={factor.submit} busy={signIn.busy} />
          </Form>
        )}
        {own.kinds.has('webauthn') ? (
          <PasskeyButton
            page={page}
            action={at('/signin/finish', asked)}
            label={signIn.passkey}
            begin="biometric/verifyLoginBegin"
            finish="biometric/verifyLoginFinish"
            who={{ email: stage.user.email, tenant_id: stage.tenantId }}
          />
        ) : (
          ''
        )}
        {own.kinds.has('sms') ? (
          <Form page={page} action={at('/signin/factor/sms', asked)}>
            <Submit kind="second" label={fill(factor.sendSms, { phone: own.phone ?? '' })} busy={busy} />
          </Form>
        ) : (
          ''
        )}
        <Links
          links={[
            ...ways.filter((way) => way !== by).map((way) => ({ href: factorPath(asked, way), label: labels[way] })),
            { href: at('/recover/access', asked), label: page.words.access.link },
            { href: at('/signin', asked), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}

export const enrolPage = async (ctx: Ctx, asked: DoorAsked) => {
  const stage = await live(ctx)
  if (stage === undefined) return isOver(ctx, asked)
  if ((await factorsOf(ctx, stage)).kinds.size > 0) return goTo(ctx, factorPath(asked, undefined))
  return appPage(ctx, undefined, { href: at('/signin', asked) }, at('/signin/mailbox', asked), at('/signin/finish', asked))
}

export const mailboxPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const stage = await live(ctx, (here) => mailboxOwner(here, principal))
  if (stage === undefined) return isOver(ctx, asked)
  const page = await openPage(ctx, { principal, tenantId: stage.tenantId })
  const { factor, signUp, busy } = page.words
  return answerPage(ctx, page, {
    title: factor.mailboxTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(factor.mailboxText, { email: stage.user.email })}</p>
        <Form page={page} main>
          <KnownField id="email" label={signUp.email} autocomplete="username" value={stage.user.email} />
          <CodeField id="otp" label={signUp.code} error={errorOf(page, 'otp', 'invalid_code')} first />
          <Submit label={page.words.goOn} busy={busy} />
        </Form>
        <Form page={page} action={at('/signin/mailbox/send', asked)}>
          <Submit kind="second" label={factor.sendMailbox} busy={busy} />
        </Form>
      </>
    ),
  })
}
