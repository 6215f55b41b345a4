// Lost passkeys and second factors: what the organisation offers, and the waiting period as it stands.

import { waitingUntil } from '#shared/domains/recovery/waiting'
import { at, findDoor, tenantAt } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { onPage } from '#shared/platform/http/pages/form'
import { CodeField, KnownField, Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { fill } from '#shared/platform/pages/wait'
import { heldRecovery, type Lost, lostAt } from './access.ts'
import type { Ctx } from './group.ts'

const Address = ({ page, lost, id }: { readonly page: Hosted; readonly lost: Lost; readonly id: string }) => {
  const { access } = page.words
  return lost.stage === undefined ? (
    <TextField
      id={id}
      name="email"
      label={access.email}
      type="email"
      inputmode="email"
      autocomplete="username"
      value={typed(page, 'email') ?? page.visit.email}
      error={errorOf(page, 'email')}
    />
  ) : (
    <KnownField id={id} name="email" label={access.email} autocomplete="username" value={lost.stage.user.email} />
  )
}

const isOffered = ({ offers }: Lost): boolean => offers.administratorPass || offers.waitingDays !== undefined

export const accessPage = async (ctx: Ctx, asked: DoorAsked) => {
  const lost = await lostAt(ctx, asked)
  const page = await openPage(ctx, { tenantId: lost.tenantId })
  const { access, signIn, busy } = page.words
  const back = { href: at('/signin', asked), label: signIn.submit }
  if (!isOffered(lost)) return answerPage(ctx, page, overContent({ title: access.noneTitle, text: access.noneText, again: back }))
  const { administratorPass, waitingDays } = lost.offers
  return answerPage(ctx, page, {
    title: access.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{lost.stage === undefined ? access.textFirst : access.text}</p>
        {administratorPass ? (
          <Form page={page} action={at('/recover/access/pass', asked)} main>
            <h2>{access.passTitle}</h2>
            <p class="hint">{access.passText}</p>
            <Address page={page} lost={lost} id="pass-email" />
            <TextField id="pass" label={access.pass} maxlength={256} error={errorOf(page, 'pass', 'invalid_recovery')} />
            <Submit label={access.usePass} busy={busy} />
          </Form>
        ) : (
          ''
        )}
        {waitingDays === undefined ? (
          ''
        ) : (
          <section class={administratorPass ? 'part' : ''}>
            <Form page={page} action={at('/recover/access/wait', asked)} main={!administratorPass}>
              <h2>{access.waitTitle}</h2>
              <p class="hint">{fill(waitingDays === 1 ? access.waitTextOne : access.waitText, { days: String(waitingDays) })}</p>
              <Address page={page} lost={lost} id="wait-email" />
              <Submit kind={administratorPass ? 'second' : 'primary'} label={access.wait} busy={busy} />
            </Form>
            <Links links={[{ href: at('/recover/access/waiting', asked), label: access.begun }]} />
          </section>
        )}
        <Links links={[back]} />
      </>
    ),
  })
}

const moment = (page: Hosted, at: Date): string =>
  `${new Intl.DateTimeFormat(page.lang, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC', hourCycle: 'h23' }).format(at)} UTC`

/** For another browser than the one that began: nothing else goes on there. */
const Key = ({ page, recovery }: { readonly page: Hosted; readonly recovery: string }) => (
  <details>
    <summary>{page.words.access.elsewhere}</summary>
    <p class="hint">{page.words.access.keyText}</p>
    <p class="code seed" dir="ltr">
      {recovery}
    </p>
  </details>
)

const keyPage = (ctx: Ctx, page: Hosted, asked: DoorAsked) => {
  const { access, startAgain, goOn, busy } = page.words
  return answerPage(ctx, page, {
    title: access.keyTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{access.noneHeld}</p>
        <Form page={page} action={at('/recover/access/key', asked)} main>
          <TextField id="recovery" label={access.key} maxlength={256} error={errorOf(page, 'recovery', 'invalid_recovery')} first />
          <Submit label={goOn} busy={busy} />
        </Form>
        <Links links={[{ href: at('/recover/access', asked), label: startAgain }]} />
      </>
    ),
  })
}

export const waitingPage = async (ctx: Ctx, asked: DoorAsked) => {
  const page = await openPage(ctx, { tenantId: tenantAt(await findDoor(ctx, asked)) })
  const recovery = heldRecovery(ctx)
  const readyAt = recovery === undefined ? undefined : await waitingUntil(onPage(ctx), recovery)
  if (recovery === undefined || readyAt === undefined) return keyPage(ctx, page, asked)
  const { access, recover, factor, busy, signIn } = page.words
  const isReady = readyAt <= page.now
  return answerPage(ctx, page, {
    title: isReady ? access.readyTitle : access.waitingTitle,
    script: SCRIPT,
    children: (
      <>
        <p>{isReady ? access.readyText : fill(access.waitingText, { at: moment(page, readyAt) })}</p>
        {isReady ? (
          <>
            <Form page={page} action={at('/recover/access/finish', asked)} main>
              <CodeField id="otp" label={recover.code} error={errorOf(page, 'otp', 'invalid_recovery', 'recovery_waiting')} />
              <Submit label={access.finish} busy={busy} />
            </Form>
            <Form page={page} action={at('/recover/access/send', asked)}>
              <Submit kind="second" label={factor.sendMailbox} busy={busy} />
            </Form>
          </>
        ) : (
          <p class="quiet">{access.waitingStop}</p>
        )}
        <Key page={page} recovery={recovery} />
        <Links links={[{ href: at('/signin', asked), label: signIn.submit }]} />
      </>
    ),
  })
}
