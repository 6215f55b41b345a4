// Lost passkeys and second factors: the ways back that the organisation offers, and the state of the waiting period.

import { waitingRecoveryReadyAt } from '#shared/domains/recovery/waiting-recovery'
import { findSignInContext, signInContextTenant, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { CodeField, KnownField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { CopyButton, TextWithMoment } from '#shared/platform/pages/tools.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { Ctx } from './group.ts'
import { currentRecovery, findLostAccess, type LostAccess } from './lost-access.ts'

const Address = ({ page, lost, id }: { readonly page: Hosted; readonly lost: LostAccess; readonly id: string }) => {
  const { access } = page.words
  return lost.factorContext === undefined ? (
    <TextField
      id={id}
      name="email"
      label={access.email}
      type="email"
      inputmode="email"
      autocomplete="username"
      value={typedValue(page, 'email') ?? page.visit.email}
      error={errorOf(page, 'email')}
    />
  ) : (
    <KnownField id={id} name="email" label={access.email} autocomplete="username" value={lost.factorContext.user.email} />
  )
}

const isOffered = ({ offers }: LostAccess): boolean => offers.administratorPass || offers.waitingDays !== undefined

export const lostAccessPage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const lost = await findLostAccess(ctx, contextRequest)
  const page = await openPage(ctx, { tenantId: lost.tenantId })
  const { access, signIn, busy } = page.words
  const back = { href: withSignInContext('/signin', contextRequest), label: signIn.submit }
  if (!isOffered(lost))
    return pageResult(ctx, page, endedContent({ title: access.noneTitle, text: access.noneText, again: back, outcome: 'refused' }))
  const { administratorPass, waitingDays } = lost.offers
  return pageResult(ctx, page, {
    title: access.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{lost.factorContext === undefined ? access.textFirst : access.text}</p>
        {administratorPass ? (
          <HostedForm page={page} action={withSignInContext('/recover/access/pass', contextRequest)} main>
            <h2>{access.passTitle}</h2>
            <p class="hint">{access.passText}</p>
            <Address page={page} lost={lost} id="pass-email" />
            <TextField id="pass" label={access.pass} maxlength={256} error={errorOf(page, 'pass', 'invalid_recovery')} />
            <Submit label={access.usePass} busy={busy} />
          </HostedForm>
        ) : (
          ''
        )}
        {waitingDays === undefined ? (
          ''
        ) : (
          <section class={administratorPass ? 'part' : ''}>
            <HostedForm page={page} action={withSignInContext('/recover/access/wait', contextRequest)} main={!administratorPass}>
              <h2>{access.waitTitle}</h2>
              <p class="hint">{fillPlaceholders(waitingDays === 1 ? access.waitTextOne : access.waitText, { days: String(waitingDays) })}</p>
              <Address page={page} lost={lost} id="wait-email" />
              <Submit kind={administratorPass ? 'second' : 'primary'} label={access.wait} busy={busy} />
            </HostedForm>
            <Links links={[{ href: withSignInContext('/recover/access/waiting', contextRequest), label: access.begun }]} />
          </section>
        )}
        <Links links={[back]} />
      </>
    ),
  })
}

/** The key that another browser needs to continue this recovery. */
const Key = ({ page, recovery }: { readonly page: Hosted; readonly recovery: string }) => (
  <details>
    <summary>{page.words.access.elsewhere}</summary>
    <p class="hint">{page.words.access.keyText}</p>
    <p class="code seed" dir="ltr" id="recovery-key" data-text={recovery}>
      {recovery}
    </p>
    <CopyButton of="recovery-key" words={page.words.tools} />
  </details>
)

const keyPage = (ctx: Ctx, page: Hosted, contextRequest: SignInContextRequest) => {
  const { access, startAgain, goOn, busy } = page.words
  return pageResult(ctx, page, {
    title: access.keyTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{access.noneHeld}</p>
        <HostedForm page={page} action={withSignInContext('/recover/access/key', contextRequest)} main>
          <TextField id="recovery" label={access.key} maxlength={256} error={errorOf(page, 'recovery', 'invalid_recovery')} first />
          <Submit label={goOn} busy={busy} />
        </HostedForm>
        <Links links={[{ href: withSignInContext('/recover/access', contextRequest), label: startAgain }]} />
      </>
    ),
  })
}

export const waitingRecoveryPage = async (ctx: Ctx, contextRequest: SignInContextRequest) => {
  const page = await openPage(ctx, { tenantId: signInContextTenant(await findSignInContext(ctx, contextRequest)) })
  const recovery = currentRecovery(ctx)
  const readyAt = recovery === undefined ? undefined : await waitingRecoveryReadyAt(withPageOrigin(ctx), recovery)
  if (recovery === undefined || readyAt === undefined) return keyPage(ctx, page, contextRequest)
  const { access, recover, factor, busy, signIn } = page.words
  const isReady = readyAt <= page.now
  return pageResult(ctx, page, {
    title: isReady ? access.readyTitle : access.waitingTitle,
    script: SCRIPT,
    children: (
      <>
        <p>{isReady ? access.readyText : <TextWithMoment text={access.waitingText} at={readyAt} lang={page.lang} />}</p>
        {isReady ? (
          <>
            <HostedForm page={page} action={withSignInContext('/recover/access/finish', contextRequest)} main>
              <CodeField id="otp" label={recover.code} error={errorOf(page, 'otp', 'invalid_recovery', 'recovery_waiting')} />
              <Submit label={access.finish} busy={busy} />
            </HostedForm>
            <HostedForm page={page} action={withSignInContext('/recover/access/send', contextRequest)}>
              <Submit kind="second" label={factor.sendMailbox} busy={busy} />
            </HostedForm>
          </>
        ) : (
          <p class="quiet">{access.waitingStop}</p>
        )}
        <Key page={page} recovery={recovery} />
        <Links links={[{ href: withSignInContext('/signin', contextRequest), label: signIn.submit }]} />
      </>
    ),
  })
}
