// The page that adds an authenticator app and shows its backup codes, during sign-in and on the account page.

import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { SCRIPT as PASSKEY_SCRIPT } from '#shared/platform/pages/ceremony.client.generated'
import { CodeField, Submit } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { PasskeyButton } from '#shared/platform/pages/passkey.tsx'
import { Qr, qrOf } from '#shared/platform/pages/qr.tsx'
import { CopyButton, SaveButtons } from '#shared/platform/pages/tools.tsx'
import type { User } from '#shared/platform/principals/principal'
import type { FactorContext } from './factor-context.ts'
import { loadPageEnrolmentContext, resumeTotpSetup } from './page-enrolment.ts'

/** How to start again: a page or a form. */
export type RestartAction = { readonly href: string } | { readonly action: string }
type AppParts = { readonly page: Hosted; readonly seed: string; readonly uri: string; readonly qr: string; readonly again: RestartAction }

/** The key as a QR code, as a link for the same device, and as text to type. */
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
      <p class="code seed" dir="ltr" id="seed" data-text={seed}>
        {(seed.match(/.{1,4}/g) ?? []).join(' ')}
      </p>
      <CopyButton of="seed" words={page.words.tools} />
      <HostedForm page={page} main>
        <CodeField id="code" label={factor.firstCode} error={errorOf(page, 'code', 'invalid_totp_code', 'setup_not_initiated')} first />
        <Submit label={factor.addApp} busy={page.words.busy} />
      </HostedForm>
      {'href' in again ? (
        <Links links={[{ href: again.href, label: startAgain }]} />
      ) : (
        <HostedForm page={page} action={again.action}>
          <Submit kind="second" label={startAgain} busy={page.words.busy} />
        </HostedForm>
      )}
    </>
  )
}

/** During sign-in or in a session. A required first factor needs the mailbox proved before. */
export const appSetupPage = async (
  ctx: RequestCtx,
  caller: User | undefined,
  again: RestartAction,
  mailbox = '/signin/mailbox',
  finish = '/signin/finish',
) => {
  const factorContext = await loadPageEnrolmentContext(ctx, caller).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'mailbox_proof_required') return undefined
    throw error
  })
  if (factorContext === undefined) return redirectResult(ctx, mailbox)
  const page = await openPage(ctx, { principal: caller, tenantId: factorContext.tenantId })
  const { seed, uri } = await resumeTotpSetup(ctx, factorContext)
  return pageResult(ctx, page, {
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
            who={{ email: factorContext.user.email, tenant_id: factorContext.tenantId }}
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

type BackupCodesPage = {
  readonly codes: readonly string[]
  readonly principal: User | undefined
  readonly next: string
  readonly factorContext?: FactorContext
}

/** Shows the backup codes once, as the answer to the form: no address and no cookie may hold them. */
export const backupCodesPage = async (ctx: RequestCtx, { codes, principal, next, factorContext }: BackupCodesPage) => {
  const page = await openPage(ctx, { principal, tenantId: factorContext?.tenantId })
  const { factor, goOn, busy } = page.words
  return pageResult(ctx, page, {
    title: factor.codesTitle,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{factor.codesText}</p>
        <ol class="codes" dir="ltr" id="codes">
          {codes.map((code) => (
            <li>{code}</li>
          ))}
        </ol>
        <SaveButtons of="codes" file="backup-codes.txt" words={page.words.tools} />
        {principal === undefined ? (
          <HostedForm page={page} action={next}>
            <Submit label={goOn} busy={busy} />
          </HostedForm>
        ) : (
          <a class="primary" href={next}>
            {goOn}
          </a>
        )}
      </>
    ),
  })
}
