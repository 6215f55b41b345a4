// Sign-up: the details of the account, then the code from the mail.

import { PASSWORD_RULE_ERRORS } from '#shared/domains/passwords/rule-errors'
import { findSignInContext, type SignInContext, signInContextTenant, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { acceptsCompanies } from '#shared/domains/sign-up/open-sign-up'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { CodeField, KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { findSignInOptions } from './sign-in-options.ts'

const mayJoin = async (ctx: Ctx, signInContext: SignInContext): Promise<boolean> =>
  signInContext.kind === 'platform' ? acceptsCompanies(ctx) : signInContext.kind === 'tenant' && signInContext.clientId !== undefined

const Company = ({ ctx, page }: { readonly ctx: Ctx; readonly page: Hosted }) => {
  const { signUp } = page.words
  return (
    <>
      <TextField
        id="name"
        label={signUp.name}
        autocomplete="name"
        autocapitalize="words"
        value={typedValue(page, 'name')}
        error={errorOf(page, 'name')}
        maxlength={200}
        first
      />
      <TextField
        id="tenant_domain"
        label={signUp.domain}
        hint={fillPlaceholders(signUp.domainHint, { example: `acme.${ctx.config.TENANT_DOMAIN_SUFFIX}` })}
        autocomplete="organization"
        value={typedValue(page, 'tenant_domain')}
        error={errorOf(page, 'tenant_domain', 'tenant_domain_invalid', 'tenant_domain_taken')}
        maxlength={253}
      />
    </>
  )
}

export const signUpPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  const page = await openPage(ctx, { principal, tenantId: signInContextTenant(signInContext) })
  const { signUp, signIn } = page.words
  const toSignIn = { href: withSignInContext('/signin', contextRequest), label: signUp.have }
  if (!(await mayJoin(ctx, signInContext))) {
    return pageResult(ctx, page, {
      title: signUp.closedTitle,
      outcome: 'refused',
      children: (
        <>
          <p class="quiet">{signUp.closedText}</p>
          <Links links={[toSignIn]} />
        </>
      ),
    })
  }
  const isCompany = signInContext.kind === 'platform'
  // A company's page offers only the providers that create accounts (just-in-time provisioning).
  const { ProviderLinks, ...all } = await findSignInOptions(ctx, signInContext)
  const upstreams = all.upstreams.filter(({ terms }) => isCompany || terms.jitProvisioning)
  const saml = all.saml.filter(({ jitProvisioning }) => jitProvisioning)
  return pageResult(ctx, page, {
    title: isCompany ? signUp.titleCompany : signUp.title,
    script: SCRIPT,
    children: (
      <>
        <HostedForm page={page} main>
          {isCompany ? <Company ctx={ctx} page={page} /> : ''}
          <TextField
            id="email"
            label={signUp.email}
            type="email"
            inputmode="email"
            autocomplete="username"
            value={typedValue(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first={!isCompany}
          />
          <PasswordField
            id="password"
            label={signIn.password}
            hint={fillPlaceholders(signUp.rule, { shortest: page.shortest })}
            autocomplete="new-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'password', ...PASSWORD_RULE_ERRORS)}
          />
          <Submit label={signUp.submit} busy={signUp.busy} />
        </HostedForm>
        <ProviderLinks page={page} contextRequest={contextRequest} upstreams={upstreams} saml={saml} />
        <Links links={[toSignIn]} />
      </>
    ),
  })
}

export const signUpCodePage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  const page = await openPage(ctx, { principal, tenantId: signInContextTenant(signInContext) })
  const { signUp, signIn, startAgain } = page.words
  const email = page.visit.held?.sign_up
  const again = { href: withSignInContext('/signup', contextRequest), label: startAgain }
  if (email === undefined || page.said?.code === 'registration_expired') {
    return pageResult(ctx, page, endedContent({ title: signUp.expiredTitle, text: signUp.expiredText, again }))
  }
  return pageResult(ctx, page, {
    title: signUp.codeTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(signUp.codeText, { email })}</p>
        <HostedForm page={page} main>
          <KnownField id="email" label={signIn.email} autocomplete="username" value={email} />
          <CodeField id="otp" label={signUp.code} error={errorOf(page, 'otp', 'invalid_otp', 'invalid_code')} first />
          <Submit label={signUp.finish} busy={page.words.busy} />
        </HostedForm>
        <HostedForm page={page} action={withSignInContext('/signup/code/again', contextRequest)}>
          <input type="hidden" name="email" value={email} />
          <Submit kind="second" label={signUp.again} busy={signUp.busy} />
        </HostedForm>
        <Links links={[again]} />
      </>
    ),
  })
}
