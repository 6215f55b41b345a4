// The page that an identity provider posts the browser to. A script continues the sign-in; without scripts there is a link.

import { proofCookie } from '#shared/domains/federation/proof'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import { randomToken } from '#shared/kernel/random'
import { HttpResult } from '#shared/platform/http/route'
import { LANGUAGES, preferredLanguage } from '#shared/platform/pages/language'
import { pagePolicy, renderPage } from '#shared/platform/pages/layout.tsx'
import { SCRIPT } from './acs.client.generated.ts'
import type { ReceivedAssertion } from './acs.ts'
import type { Ctx } from './group.ts'

/** A separate front end gets a single-use handle in the URL; our own page reads it from a cookie. Neither URL contains personal data. */
const next = (ctx: Ctx, { handle, answering: { located, provider } }: ReceivedAssertion): { readonly url: string; readonly onPage: boolean } => {
  const request = located?.request
  if (request !== undefined && request.loginChallenge !== null) {
    const query = new URLSearchParams({ login_challenge: request.loginChallenge, success: 'true', saml_ticket: handle })
    return { url: `${request.origin}/oidc/login?${query}`, onPage: false }
  }
  const signInContext = request?.page ?? { client_id: provider.clientId }
  return { url: `${request?.origin ?? ctx.config.BASE_URL}${withSignInContext('/signin/saml/finish', signInContext)}`, onPage: true }
}

export const acsPage = (ctx: Ctx, proved: ReceivedAssertion): HttpResult<string> => {
  const nonce = randomToken(ctx.random)
  const lang = preferredLanguage(ctx.request.header('accept-language'))
  const words = LANGUAGES[lang].federation
  const { url, onPage } = next(ctx, proved)
  const html = renderPage({
    lang,
    nonce,
    title: words.title,
    script: SCRIPT,
    children: (
      <div class="card">
        <p class="who">{new URL(ctx.config.BASE_URL).host}</p>
        <section data-go={url}>
          <h1 tabindex={-1}>{words.doneTitle}</h1>
          <p class="quiet" role="status">
            {words.done}
          </p>
          <a class="alone" href={url} rel="noreferrer">
            {words.go}
          </a>
        </section>
      </div>
    ),
  })
  const headers = {
    'Content-Security-Policy': pagePolicy(nonce, { script: true }),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Language': lang,
    Vary: 'Accept-Language, Cookie',
  }
  return new HttpResult(html, { headers, cookies: onPage ? [proofCookie(ctx, proved.handle)] : [] })
}
