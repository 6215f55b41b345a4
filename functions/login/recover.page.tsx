// A forgotten password: address, code, new password.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { at, findDoor, tenantAt } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { Ctx } from './group.ts'
import { hasProof } from './recover.ts'

const open = async (ctx: Ctx, asked: DoorAsked) => openPage(ctx, { tenantId: tenantAt(await findDoor(ctx, asked)) })

export const recoverPage = async (ctx: Ctx, asked: DoorAsked) => {
  const page = await open(ctx, asked)
  const { recover, signIn } = page.words
  return answerPage(ctx, page, {
    title: recover.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{recover.text}</p>
        <Form page={page} main>
          <TextField
            id="email"
            label={recover.email}
            type="email"
            inputmode="email"
            autocomplete="username"
            value={typed(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first
          />
          <Submit label={recover.submit} busy={page.words.busy} />
        </Form>
        <Links
          links={[
            { href: at('/recover/access', asked), label: page.words.access.link },
            { href: at('/signin', asked), label: signIn.submit },
          ]}
        />
      </>
    ),
  })
}

export const recoverCodePage = async (ctx: Ctx, asked: DoorAsked) => {
  const page = await open(ctx, asked)
  const { recover, startAgain } = page.words
  const email = page.visit.held?.recover
  const again = { href: at('/recover', asked), label: startAgain }
  if (email === undefined) return answerPage(ctx, page, overContent({ title: recover.expiredTitle, text: recover.expiredText, again }))
  return answerPage(ctx, page, {
    title: recover.codeTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(recover.codeText, { email })}</p>
        <Form page={page} main>
          <KnownField id="email" label={recover.email} autocomplete="username" value={email} />
          <CodeField id="otp" label={recover.code} error={errorOf(page, 'otp', 'invalid_code', 'invalid_otp')} first />
          <Submit label={recover.check} busy={page.words.busy} />
        </Form>
        <Links links={[again]} />
      </>
    ),
  })
}

export const newPasswordPage = async (ctx: Ctx, asked: DoorAsked) => {
  const page = await open(ctx, asked)
  const { recover, startAgain } = page.words
  const { email } = page.visit
  if (email === undefined || !(await hasProof(ctx))) {
    const again = { href: at('/recover', asked), label: startAgain }
    return answerPage(ctx, page, overContent({ title: recover.expiredTitle, text: recover.expiredText, again }))
  }
  return answerPage(ctx, page, {
    title: recover.passwordTitle,
    script: SCRIPT,
    children: (
      <Form page={page} main>
        <KnownField id="email" label={recover.email} autocomplete="username" value={email} />
        <PasswordField
          id="new_password"
          label={recover.password}
          hint={fill(recover.rule, { shortest: page.shortest })}
          autocomplete="new-password"
          show={page.forms.showPassword}
          hide={page.forms.hidePassword}
          error={errorOf(page, 'new_password', ...PASSWORD_RULE_ERRORS)}
          first
        />
        <Submit label={recover.save} busy={page.words.busy} />
      </Form>
    ),
  })
}
