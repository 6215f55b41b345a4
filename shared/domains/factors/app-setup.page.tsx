// Adding an authenticator app, and the backup codes that come with it: inside a sign-in, and on the account page.

import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { goTo } from '#shared/platform/http/pages/go'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { CodeField, Submit } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { Qr, qrOf } from '#shared/platform/pages/qr.tsx'
import type { User } from '#shared/platform/principals/principal'
import { openSetup, stageToEnrol } from './page-enrolment.ts'
import type { Stage } from './stage.ts'

/** How to begin anew: by a page, or by a form. */
export type Again = { readonly href: string } | { readonly action: string }
type AppParts = { readonly page: Hosted; readonly seed: string; readonly uri: string; readonly qr: string; readonly again: Again }

/** For a camera, for the same device, and for fingers. */
export const AppSetup = ({ page, seed, uri, qr, again }: AppParts) => {
  const { factor, startAgain } = page.words
  return (
    <>
      <p class="quiet">{factor.scan}</p>
      <Qr drawing={qr} label={factor.qr} />
      <p>
        <a class="second" href={uri}>
          {factor.openApp}
        </a>
      </p>
      <p class="quiet">{factor.typeSeed}</p>
      <p class="code seed" dir="ltr">
        {(seed.match(/.{1,4}/g) ?? []).join(' ')}
      </p>
      <Form page={page} main>
        <CodeField id="code" label={factor.firstCode} error={errorOf(page, 'code', 'invalid_totp_code', 'setup_not_initiated')} first />
        <Submit label={factor.addApp} busy={page.words.busy} />
      </Form>
      {'href' in again ? (
        <Links links={[{ href: again.href, label: startAgain }]} />
      ) : (
        <Form page={page} action={again.action}>
          <Submit kind="second" label={startAgain} busy={page.words.busy} />
        </Form>
      )}
    </>
  )
}

/** In a sign-in, or in the session of whoever is signed in. A first factor that is owed needs the mailbox proved before. */
export const appPage = async (ctx: RequestCtx, caller: User | undefined, again: Again, mailbox = '/signin/mailbox', finish = '/signin/finish') => {
  const stage = await stageToEnrol(ctx, caller).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'mailbox_proof_required') return undefined
    throw error
  })
  if (stage === undefined) return goTo(ctx, mailbox)
  const page = await openPage(ctx, { principal: caller, tenantId: stage.tenantId })
  const { seed, uri } = await openSetup(ctx, stage)
  return answerPage(ctx, page, {
    title: page.words.factor.appTitle,
    script: PASSKEY_SCRIPT,
    children: (
      <>
        {caller === undefined ? (
          <PasskeyButton
            page={page}
            action={finish}
            label={page.words.factor.passkeyInstead}
            begin="beginRegistration"
            finish="finishRegistration"
            who={{ email: stage.user.email, tenant_id: stage.tenantId }}
            creates
          />
        ) : (
          ''
        )}
        <AppSetup page={page} seed={seed} uri={uri} qr={await qrOf(uri)} again={again} />
      </>
    ),
  })
}

type Shown = { readonly codes: readonly string[]; readonly principal: User | undefined; readonly next: string; readonly stage?: Stage }

/** Backup codes, shown this once: the answer to the form itself, for no address and no cookie may keep them. */
export const codesPage = async (ctx: RequestCtx, { codes, principal, next, stage }: Shown) => {
  const page = await openPage(ctx, { principal, tenantId: stage?.tenantId })
  const { factor, goOn, busy } = page.words
  return answerPage(ctx, page, {
    title: factor.codesTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{factor.codesText}</p>
        <ol class="codes" dir="ltr">
          {codes.map((code) => (
            <li>{code}</li>
          ))}
        </ol>
        {principal === undefined ? (
          <Form page={page} action={next}>
            <Submit label={goOn} busy={busy} />
          </Form>
        ) : (
          <a class="primary" href={next}>
            {goOn}
          </a>
        )}
      </>
    ),
  })
}
