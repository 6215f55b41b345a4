// Sign-in: the address, then the password; and the password again where a recent sign-in is required.

import { forTenant } from '#db/engine/tenant'
import { findUser } from '#db/store/users'
import { listOwnFactors } from '#shared/domains/factors/list-factors'
import { findSignInContext, signInContextTenant, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { acceptsCompanies } from '#shared/domains/sign-up/open-sign-up'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { meetsReauthentication, type ReauthenticationDemand } from './sign-in.ts'
import { findSignInOptions } from './sign-in-options.ts'

const PASSWORD_CODES = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired', 'email_not_verified']

/** Redirects a person who is already signed in, unless they want to choose another account. */
export const emailPage = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest & { readonly other?: '1' | undefined },
  principal: User | undefined,
) => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  const tenantId = signInContextTenant(signInContext)
  const isSignedIn = principal !== undefined && (tenantId === undefined || tenantId === principal.tenantId)
  if (isSignedIn && contextRequest.other === undefined) return redirectResult(ctx, safeReturn(contextRequest.return_to) ?? HOME)
  const page = await openPage(ctx, { principal, tenantId })
  const { signIn } = page.words
  const { ProviderLinks, ...offered } = await findSignInOptions(ctx, signInContext)
  const signUpLink = signInContext.kind === 'tenant' ? { href: withSignInContext('/signup', contextRequest), label: signIn.signUp } : undefined
  const companySignUpLink =
    signInContext.kind === 'platform' && (await acceptsCompanies(ctx))
      ? { href: withSignInContext('/signup', contextRequest), label: signIn.signUpCompany }
      : undefined
  return pageResult(ctx, page, {
    title: signInContext.kind === 'tenant' ? fillPlaceholders(signIn.title, { tenant: page.brand.name }) : signIn.titlePlain,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <HostedForm page={page} main>
          <TextField
            id="email"
            label={signIn.email}
            type="email"
            inputmode="email"
            autocomplete="username webauthn"
            value={typedValue(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first
          />
          <Submit label={signIn.next} busy={page.words.busy} />
        </HostedForm>
        <PasskeyButton
          page={page}
          action={withSignInContext('/signin/finish', contextRequest)}
          label={signIn.passkey}
          begin="passkey/begin"
          finish="passkey/finish"
          who={signInContext.kind === 'tenant' && signInContext.clientId !== undefined ? { client_id: signInContext.clientId } : {}}
          conditional
        />
        <ProviderLinks page={page} contextRequest={contextRequest} {...offered} />
        <Links links={[signUpLink ?? companySignUpLink]} />
      </>
    ),
  })
}

export const passwordPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const page = await openPage(ctx, { principal, tenantId: signInContextTenant(await findSignInContext(ctx, contextRequest)) })
  const { signIn } = page.words
  const { email } = page.visit
  if (email === undefined) return redirectResult(ctx, withSignInContext('/signin', contextRequest))
  return pageResult(ctx, page, {
    title: signIn.passwordTitle,
    script: SCRIPT,
    children: (
      <>
        <HostedForm page={page} main>
          <KnownField id="email" label={signIn.email} autocomplete="username" value={email} />
          <PasswordField
            id="password"
            label={signIn.password}
            autocomplete="current-password"
            show={page.forms.showPassword}
            hide={page.forms.hidePassword}
            error={errorOf(page, 'password', ...PASSWORD_CODES)}
            first
          />
          <Submit label={signIn.submit} busy={signIn.busy} />
        </HostedForm>
        <Links
          links={[
            { href: withSignInContext('/recover', contextRequest), label: signIn.forgot },
            { href: withSignInContext('/signin', contextRequest), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}

/** Whether the demand needs more than a password. */
const wantsFactor = ({ acr_values }: ReauthenticationDemand): boolean => acr_values !== undefined && !acr_values.split(' ').includes('aal1')

export const confirmPage = async (ctx: Ctx, demand: ReauthenticationDemand, principal: User) => {
  const next = safeReturn(demand.return_to) ?? HOME
  if (meetsReauthentication(ctx, principal, demand)) return redirectResult(ctx, next)
  const page = await openPage(ctx, { principal })
  const { confirm, signIn } = page.words
  const factors = await listOwnFactors(ctx, principal)
  if (wantsFactor(demand) && factors.length === 0) {
    const again = { href: '/me/app', label: page.words.me.addApp }
    return pageResult(ctx, page, endedContent({ title: confirm.factorTitle, text: confirm.factorText, again, outcome: 'refused' }))
  }
  const hasPassword = (await findUser(forTenant(ctx.db, principal.tenantId), principal.userId))?.passwordHash != null
  const hasPasskey = factors.some(({ kind }) => kind === 'webauthn')
  return pageResult(ctx, page, {
    title: confirm.title,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <p class="quiet">{hasPasskey ? confirm.textPasskey : confirm.text}</p>
        {hasPassword ? (
          <HostedForm page={page} main>
            <KnownField id="email" label={signIn.email} autocomplete="username" value={principal.email} />
            <PasswordField
              id="password"
              label={signIn.password}
              autocomplete="current-password"
              show={page.forms.showPassword}
              hide={page.forms.hidePassword}
              error={errorOf(page, 'password', ...PASSWORD_CODES)}
              first
            />
            <Submit label={confirm.submit} busy={page.words.busy} />
          </HostedForm>
        ) : (
          <p class="warn" data-without-passkeys>
            {page.words.errors.passkey_unsupported}
          </p>
        )}
        {hasPasskey ? (
          <PasskeyButton
            page={page}
            next={next}
            label={confirm.passkey}
            begin="/confirm/passkey/begin"
            finish="/confirm/passkey/finish"
            who={{}}
            main={!hasPassword}
          />
        ) : (
          ''
        )}
        <Links links={[{ href: HOME, label: page.words.back }]} />
      </>
    ),
  })
}
