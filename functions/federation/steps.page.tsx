// Hosted pages between a provider's response and the session: a mailed code, a choice among accounts, and the sign-up of a company.

import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { CodeField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { accountsOfTransaction } from './discover.ts'
import type { Ctx } from './group.ts'
import { findHeldProof } from './page-steps.ts'

const CODE_ERRORS = ['invalid_code', 'malformed_code']

const Links = ({ links }: { readonly links: readonly { readonly href: string; readonly label: string }[] }) => (
  <ul class="links">
    {links.map(({ href, label }) => (
      <li>
        <a href={href}>{label}</a>
      </li>
    ))}
  </ul>
)

/** For a handle that has expired, was used, or belongs to another browser. */
const overPage = (ctx: Ctx, page: Hosted, contextRequest: SignInContextRequest) =>
  pageResult(ctx, page, {
    title: page.words.provider.overTitle,
    children: (
      <>
        <p class="quiet">{page.words.provider.overText}</p>
        <a class="primary" href={withSignInContext('/signin', contextRequest)}>
          {page.words.startAgain}
        </a>
      </>
    ),
  })

const MailedCode = ({ page, first = false }: { readonly page: Hosted; readonly first?: boolean }) => (
  <CodeField id="otp" label={page.words.provider.code} error={errorOf(page, 'otp', ...CODE_ERRORS)} first={first} />
)

export const connectPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const join = await findHeldProof(ctx, 'join')
  const heldProof = join ?? (await findHeldProof(ctx, 'link'))
  const page = await openPage(ctx, { principal, tenantId: heldProof?.t.tenantId })
  if (heldProof === undefined) return overPage(ctx, page, contextRequest)
  const { provider } = page.words
  const facts = { email: heldProof.proof.profile.email ?? '', provider: heldProof.proof.displayName, tenant: page.brand.name }
  return pageResult(ctx, page, {
    title: join === undefined ? provider.connectTitle : provider.joinTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(join === undefined ? provider.connectText : provider.joinText, facts)}</p>
        <HostedForm page={page} main>
          <MailedCode page={page} first />
          <Submit label={provider.submit} busy={page.words.busy} />
        </HostedForm>
        <HostedForm page={page} action={withSignInContext('/signin/connect/code', contextRequest)}>
          <Submit kind="second" label={provider.again} busy={page.words.busy} />
        </HostedForm>
        <Links links={[{ href: withSignInContext('/signin', contextRequest), label: page.words.startAgain }]} />
      </>
    ),
  })
}

export const accountsPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const heldProof = await findHeldProof(ctx, 'choice')
  const page = await openPage(ctx, { principal })
  if (heldProof === undefined) return overPage(ctx, page, contextRequest)
  const accounts = await accountsOfTransaction(ctx, heldProof)
  return pageResult(ctx, page, {
    title: page.words.provider.accountsTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{fillPlaceholders(page.words.provider.accountsText, { provider: heldProof.proof.displayName })}</p>
        {accounts.map(({ tenant_id, tenant_name, email }, index) => (
          <HostedForm page={page} main={index === 0}>
            <input type="hidden" name="account" value={tenant_id} />
            <Submit kind="second" label={`${tenant_name} · ${email}`} busy={page.words.busy} />
          </HostedForm>
        ))}
        <Links links={[{ href: withSignInContext('/signin', contextRequest), label: page.words.startAgain }]} />
      </>
    ),
  })
}

export const federatedCompanyPage = async (ctx: Ctx, contextRequest: SignInContextRequest, principal: User | undefined) => {
  const heldProof = await findHeldProof(ctx, 'registration')
  const page = await openPage(ctx, { principal })
  if (heldProof === undefined) return overPage(ctx, page, contextRequest)
  const { provider, signUp } = page.words
  const { email = '', emailVerified } = heldProof.proof.profile
  return pageResult(ctx, page, {
    title: signUp.titleCompany,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fillPlaceholders(provider.companyText, { provider: heldProof.proof.displayName, email })}</p>
        <HostedForm page={page} main>
          <TextField
            id="tenant_domain"
            label={signUp.domain}
            hint={fillPlaceholders(signUp.domainHint, { example: `acme.${ctx.config.TENANT_DOMAIN_SUFFIX}` })}
            autocomplete="organization"
            value={typedValue(page, 'tenant_domain')}
            error={errorOf(page, 'tenant_domain', 'tenant_domain_invalid', 'tenant_domain_taken')}
            maxlength={253}
            first
          />
          {emailVerified ? '' : <MailedCode page={page} />}
          <Submit label={signUp.submit} busy={signUp.busy} />
        </HostedForm>
        {emailVerified ? (
          ''
        ) : (
          <HostedForm page={page} action={withSignInContext('/signup/provider/code', contextRequest)}>
            <Submit kind="second" label={provider.askCode} busy={page.words.busy} />
          </HostedForm>
        )}
        <Links links={[{ href: withSignInContext('/signin', contextRequest), label: page.words.startAgain }]} />
      </>
    ),
  })
}
