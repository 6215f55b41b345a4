// The pages between a provider's answer and being in: a mailed code, a choice among accounts, a company that signs up.

import { at } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { CodeField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { accountsOfTicket } from './discover.ts'
import type { Ctx } from './group.ts'
import { heldOn } from './page-steps.ts'

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

/** The ticket is over, used, or of another browser. */
const overPage = (ctx: Ctx, page: Hosted, asked: DoorAsked) =>
  answerPage(ctx, page, {
    title: page.words.provider.overTitle,
    children: (
      <>
        <p class="quiet">{page.words.provider.overText}</p>
        <a class="primary" href={at('/signin', asked)}>
          {page.words.startAgain}
        </a>
      </>
    ),
  })

const MailedCode = ({ page, first = false }: { readonly page: Hosted; readonly first?: boolean }) => (
  <CodeField id="otp" label={page.words.provider.code} error={errorOf(page, 'otp', ...CODE_ERRORS)} first={first} />
)

export const connectPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const join = await heldOn(ctx, 'join')
  const held = join ?? (await heldOn(ctx, 'link'))
  const page = await openPage(ctx, { principal, tenantId: held?.t.tenantId })
  if (held === undefined) return overPage(ctx, page, asked)
  const { provider } = page.words
  const facts = { email: held.proof.profile.email ?? '', provider: held.proof.displayName, tenant: page.brand.name }
  return answerPage(ctx, page, {
    title: join === undefined ? provider.connectTitle : provider.joinTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(join === undefined ? provider.connectText : provider.joinText, facts)}</p>
        <Form page={page} main>
          <MailedCode page={page} first />
          <Submit label={provider.submit} busy={page.words.busy} />
        </Form>
        <Form page={page} action={at('/signin/connect/code', asked)}>
          <Submit kind="second" label={provider.again} busy={page.words.busy} />
        </Form>
        <Links links={[{ href: at('/signin', asked), label: page.words.startAgain }]} />
      </>
    ),
  })
}

export const accountsPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const held = await heldOn(ctx, 'choice')
  const page = await openPage(ctx, { principal })
  if (held === undefined) return overPage(ctx, page, asked)
  const accounts = await accountsOfTicket(ctx, held)
  return answerPage(ctx, page, {
    title: page.words.provider.accountsTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{fill(page.words.provider.accountsText, { provider: held.proof.displayName })}</p>
        {accounts.map(({ tenant_id, tenant_name, email }, index) => (
          <Form page={page} main={index === 0}>
            <input type="hidden" name="account" value={tenant_id} />
            <Submit kind="second" label={`${tenant_name} · ${email}`} busy={page.words.busy} />
          </Form>
        ))}
        <Links links={[{ href: at('/signin', asked), label: page.words.startAgain }]} />
      </>
    ),
  })
}

export const companyPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const held = await heldOn(ctx, 'registration')
  const page = await openPage(ctx, { principal })
  if (held === undefined) return overPage(ctx, page, asked)
  const { provider, signUp } = page.words
  const { email = '', emailVerified } = held.proof.profile
  return answerPage(ctx, page, {
    title: signUp.titleCompany,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet who-is">{fill(provider.companyText, { provider: held.proof.displayName, email })}</p>
        <Form page={page} main>
          <TextField
            id="tenant_domain"
            label={signUp.domain}
            hint={fill(signUp.domainHint, { example: `acme.${ctx.config.TENANT_DOMAIN_SUFFIX}` })}
            autocomplete="organization"
            value={typed(page, 'tenant_domain')}
            error={errorOf(page, 'tenant_domain', 'tenant_domain_invalid', 'tenant_domain_taken')}
            maxlength={253}
            first
          />
          {emailVerified ? '' : <MailedCode page={page} />}
          <Submit label={signUp.submit} busy={signUp.busy} />
        </Form>
        {emailVerified ? (
          ''
        ) : (
          <Form page={page} action={at('/signup/provider/code', asked)}>
            <Submit kind="second" label={provider.askCode} busy={page.words.busy} />
          </Form>
        )}
        <Links links={[{ href: at('/signin', asked), label: page.words.startAgain }]} />
      </>
    ),
  })
}
