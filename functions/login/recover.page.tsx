// A forgotten password: address, code, new password.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { findSignInContext, signInContextTenant, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { Ctx } from './group.ts'
import { hasResetProof } from './recover.ts'

const open = async (ctx: Ctx, contextRequest: SignInContextRequest) =>
  openPage(ctx, { tenantId: signInContextTenant(await findSignInContext(ctx, contextRequest)) })

export const recoverPage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const page = await open(ctx, contextRequest)
  const { recover, signIn } = page.words
  return pageResult(ctx, page, {
    title: recover.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{recover.text}</p>
        <HostedForm page={page} main>
          <TextField
            id="email"
            label={recover.email}
            type="email"
            inputmode="email"
            autocomplete="username"
            value={typedValue(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first
          />
          <Submit label={recover.submit} busy={page.words.busy} />
        </HostedForm>
        <Links
          links={[
            { href: withSignInContext('/recover/access', contextRequest), label: page.words.access.link },
            { href: withSignInContext('/signin', contextRequest), label: signIn.submit },
          ]}
        />
      </>
    ),
  })
}

export const recoverCodePage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const page = await open(ctx, contextRequest)
  const { recover, startAgain } = page.words
  const email = page.visit.held?.recover
  const again = { href: withSignInContext('/recover', contextRequest), label: startAgain }
  if (email === undefined) return pageResult(ctx, page, endedContent({ title: recover.expiredTitle, text: recover.expiredText, again }))
  return pageResult(ctx, page, {
    title: recover.codeTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(recover.codeText, { email })}</p>
        <HostedForm page={page} main>
          <KnownField id="email" label={recover.email} autocomplete="username" value={email} />
          <CodeField id="otp" label={recover.code} error={errorOf(page, 'otp', 'invalid_code', 'invalid_otp')} first />
          <Submit label={recover.check} busy={page.words.busy} />
        </HostedForm>
        <Links links={[again]} />
      </>
    ),
  })
}

export const newPasswordPage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const page = await open(ctx, contextRequest)
  const { recover, startAgain } = page.words
  const { email } = page.visit
  if (email === undefined || !(await hasResetProof(ctx))) {
    const again = { href: withSignInContext('/recover', contextRequest), label: startAgain }
    return pageResult(ctx, page, endedContent({ title: recover.expiredTitle, text: recover.expiredText, again }))
  }
  return pageResult(ctx, page, {
    title: recover.passwordTitle,
    script: SCRIPT,
    children: (
      <HostedForm page={page} main>
        <KnownField id="email" label={recover.email} autocomplete="username" value={email} />
        <PasswordField
          id="new_password"
          label={recover.password}
          hint={fillPlaceholders(recover.rule, { shortest: page.shortest })}
          autocomplete="new-password"
          show={page.forms.showPassword}
          hide={page.forms.hidePassword}
          error={errorOf(page, 'new_password', ...PASSWORD_RULE_ERRORS)}
          first
        />
        <Submit label={recover.save} busy={page.words.busy} />
      </HostedForm>
    ),
  })
}
