// The page that posts the response to the client (OAuth 2.0 Form Post Response Mode). A script submits the form; without scripts there is a button.

import { randomToken } from '#shared/kernel/random'
import { readVisit } from '#shared/platform/http/pages/visit'
import { HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import { FORM_CSS } from '#shared/platform/pages/form.tsx'
import { pageLanguageOf } from '#shared/platform/pages/hosted.tsx'
import { pagePolicy, renderPage } from '#shared/platform/pages/layout.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import { SCRIPT } from './form-post.client.generated.ts'
import { FORM_POST } from './form-post.strings.ts'
import type { Ctx } from './group.ts'

/** The response parameters are only in the body of the form. */
export const formPostPage = (ctx: Ctx, redirectUri: string, answer: Readonly<Record<string, string>>): HttpResult<StatusResult<200, string>> => {
  const nonce = randomToken(ctx.random)
  const lang = pageLanguageOf(ctx.request, readVisit(ctx))
  const [words, { host, origin }] = [FORM_POST[lang], new URL(redirectUri)]
  const html = renderPage({
    lang,
    nonce,
    title: words.title,
    css: FORM_CSS,
    script: SCRIPT,
    children: (
      <div class="card">
        <p class="who">{new URL(ctx.config.BASE_URL).host}</p>
        <h1>{words.title}</h1>
        <form method="post" action={redirectUri}>
          <p class="quiet" role="status">
            {fillPlaceholders(words.text, { host })}
          </p>
          {Object.entries(answer).map(([name, value]) => (
            <input type="hidden" name={name} value={value} />
          ))}
          <noscript>
            <button type="submit">{words.go}</button>
          </noscript>
        </form>
      </div>
    ),
  })
  const headers = {
    // The form goes to the client and nowhere else.
    'Content-Security-Policy': pagePolicy(nonce, { script: true }).replace(`form-action 'none'`, `form-action ${origin}`),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Language': lang,
    Vary: 'Accept-Language, Cookie',
  }
  return new HttpResult(withStatus(200, html), { headers })
}
