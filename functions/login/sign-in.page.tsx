// Sign-in: the address, then the password; and the password again, where something needs a fresh sign-in.

import { forTenant } from '#db/engine/tenant'
import { findUser } from '#db/store/users'
import { ownFactors } from '#shared/domains/factors/own'
import { at, findDoor, tenantAt } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { takesCompanies } from '#shared/domains/sign-up/open-sign-up'
import { goTo } from '#shared/platform/http/pages/go'
import { HOME, safeReturn } from '#shared/platform/http/pages/return-to'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { KnownField, PasswordField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { type Demand, meets } from './sign-in.ts'
import { offeredWays } from './ways.ts'

const PASSWORD_CODES = ['invalid_credentials', 'password_reset_required', 'temporary_password_expired', 'email_not_verified']

/** Whoever is signed in at this door already goes on, unless an account is to be chosen. */
export const emailPage = async (ctx: Ctx, asked: DoorAsked & { readonly other?: '1' | undefined }, principal: User | undefined) => {
  const door = await findDoor(ctx, asked)
  const tenantId = tenantAt(door)
  const isIn = principal !== undefined && (tenantId === undefined || tenantId === principal.tenantId)
  if (isIn && asked.other === undefined) return goTo(ctx, safeReturn(asked.return_to) ?? HOME)
  const page = await openPage(ctx, { principal, tenantId })
  const { signIn } = page.words
  const { ProviderLinks, ...offered } = await offeredWays(ctx, door)
  const mayJoin = door.kind === 'tenant' ? { href: at('/signup', asked), label: signIn.signUp } : undefined
  const mayFound = door.kind === 'platform' && (await takesCompanies(ctx)) ? { href: at('/signup', asked), label: signIn.signUpCompany } : undefined
  return answerPage(ctx, page, {
    title: door.kind === 'tenant' ? fill(signIn.title, { tenant: page.brand.name }) : signIn.titlePlain,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <Form page={page} main>
          <TextField
            id="email"
            label={signIn.email}
            type="email"
            inputmode="email"
            autocomplete="username webauthn"
            value={typed(page, 'email') ?? page.visit.email}
            error={errorOf(page, 'email')}
            first
          />
          <Submit label={signIn.next} busy={page.words.busy} />
        </Form>
        <PasskeyButton
          page={page}
          action={at('/signin/finish', asked)}
          label={signIn.passkey}
          begin="passkey/begin"
          finish="passkey/finish"
          who={door.kind === 'tenant' && door.clientId !== undefined ? { client_id: door.clientId } : {}}
          conditional
        />
        <ProviderLinks page={page} asked={asked} {...offered} />
        <Links links={[mayJoin ?? mayFound]} />
      </>
    ),
  })
}

export const passwordPage = async (ctx: Ctx, asked: DoorAsked, principal: User | undefined) => {
  const page = await openPage(ctx, { principal, tenantId: tenantAt(await findDoor(ctx, asked)) })
  const { signIn } = page.words
  const { email } = page.visit
  if (email === undefined) return goTo(ctx, at('/signin', asked))
  return answerPage(ctx, page, {
    title: signIn.passwordTitle,
    script: SCRIPT,
    children: (
      <>
        <Form page={page} main>
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
        </Form>
        <Links
          links={[
            { href: at('/recover', asked), label: signIn.forgot },
            { href: at('/signin', asked), label: signIn.other },
          ]}
        />
      </>
    ),
  })
}

/** A sign-in that a password alone cannot reach. */
const wantsFactor = ({ acr_values }: Demand): boolean => acr_values !== undefined && !acr_values.split(' ').includes('aal1')

export const confirmPage = async (ctx: Ctx, demand: Demand, principal: User) => {
  const next = safeReturn(demand.return_to) ?? HOME
  if (meets(ctx, principal, demand)) return goTo(ctx, next)
  const page = await openPage(ctx, { principal })
  const { confirm, signIn } = page.words
  const factors = await ownFactors(ctx, principal)
  if (wantsFactor(demand) && factors.length === 0) {
    const again = { href: '/me/app', label: page.words.me.addApp }
    return answerPage(ctx, page, overContent({ title: confirm.factorTitle, text: confirm.factorText, again }))
  }
  const hasPassword = (await findUser(forTenant(ctx.db, principal.tenantId), principal.userId))?.passwordHash != null
  const hasPasskey = factors.some(({ kind }) => kind === 'webauthn')
  return answerPage(ctx, page, {
    title: confirm.title,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        <p class="quiet">{hasPasskey ? confirm.textPasskey : confirm.text}</p>
        {hasPassword ? (
          <Form page={page} main>
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
          </Form>
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
