// Sign-up: who, then the code from the mail.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { at, findDoor, type PageDoor, tenantAt } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { takesCompanies } from '#shared/domains/sign-up/open-sign-up'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { offeredWays } from './ways.ts'

const mayJoin = async (ctx: Ctx, door: PageDoor): Promise<boolean> =>
  door.kind === 'platform' ? takesCompanies(ctx) : door.kind === 'tenant' && door.clientId !== undefined

const Company = ({ ctx, page }: { readonly ctx: Ctx; readonly page: Hosted }) => {
  const { signUp } = page.words
  return (
    <>
      <TextField id="name" label={signUp.name} autocomplete="name" value={typed(page, 'name')} error={errorOf(page, 'name')} maxlength={200} first />
      <TextField
        id="tenant_domain"
        label={signUp.domain}
        hint={fill(signUp.domainHint, { example: `acme.${ctx.config.TENANT_DOMAIN_SUFFIX}` })}
        autocomplete="organization"
        value={typed(page, 'tenant_domain')}
        error={errorOf(page, 'tenant_domain', 'tenant_domain_invalid', 'tenant_domain_taken')}
        maxlength={253}
      />
    </>
  )
}

export const signUpPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const door = await findDoor(ctx, asked)
  const page = await openPage(ctx, { principal, tenantId: tenantAt(door) })
  const { signUp, signIn } = page.words
  const toSignIn = { href: at('/signin', asked), label: signUp.have }
  if (!(await mayJoin(ctx, door))) {
    return answerPage(ctx, page, {
      title: signUp.closedTitle,
      children: (
        <>
          <p class="quiet">{signUp.closedText}</p>
          <Links links={[toSignIn]} />
        </>
      ),
    })
  }
  const isCompany = door.kind === 'platform'
  // At a company's door, those alone that give an account to whom they prove.
  const { ProviderLinks, ...all } = await offeredWays(ctx, door)
  const upstreams = all.upstreams.filter(({ terms }) => isCompany || terms.jitProvisioning)
  const saml = all.saml.filter(({ jitProvisioning }) => jitProvisioning)
  return answerPage(ctx, page, {
    title: isCompany ? signUp.titleCompany : signUp.title,
    script: SCRIPT,
    children: (
      <>
        <Form page={page} main>
          {isCompany ? <Company ctx={ctx} page={page} /> : ''}
          <TextField
            id="email"
            label={signUp.email}
            type="email"
            inputmode="email"
            autocomplete="username"
            value={typed(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first={!isCompany}
          />
          <PasswordField
            id="password"
            label={signIn.password}
            hint={fill(signUp.rule, { shortest: page.shortest })}
            autocomplete="new-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'password', ...PASSWORD_RULE_ERRORS)}
          />
          <Submit label={signUp.submit} busy={signUp.busy} />
        </Form>
        <ProviderLinks page={page} asked={asked} upstreams={upstreams} saml={saml} />
        <Links links={[toSignIn]} />
      </>
    ),
  })
}

export const signUpCodePage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const door = await findDoor(ctx, asked)
  const page = await openPage(ctx, { principal, tenantId: tenantAt(door) })
  const { signUp, signIn, startAgain } = page.words
  const email = page.visit.held?.sign_up
  const again = { href: at('/signup', asked), label: startAgain }
  if (email === undefined || page.said?.code === 'registration_expired') {
    return answerPage(ctx, page, overContent({ title: signUp.expiredTitle, text: signUp.expiredText, again }))
  }
  return answerPage(ctx, page, {
    title: signUp.codeTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(signUp.codeText, { email })}</p>
        <Form page={page} main>
          <KnownField id="email" label={signIn.email} autocomplete="username" value={email} />
          <CodeField id="otp" label={signUp.code} error={errorOf(page, 'otp', 'invalid_otp', 'invalid_code')} first />
          <Submit label={signUp.finish} busy={page.words.busy} />
        </Form>
        <Form page={page} action={at('/signup/code/again', asked)}>
          <input type="hidden" name="email" value={email} />
          <Submit kind="second" label={signUp.again} busy={signUp.busy} />
        </Form>
        <Links links={[again]} />
      </>
    ),
  })
}
