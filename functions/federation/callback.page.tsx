// The page to which a provider redirects the browser. It passes the response only to the page that started the flow, by script or by a link.

import { randomToken } from '#shared/kernel/random'
import { HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import { LANGUAGES, preferredLanguage } from '#shared/platform/pages/language'
import { OUTCOME_CSS, pagePolicy, renderPage } from '#shared/platform/pages/layout.tsx'
import type { PageStrings } from '#shared/platform/pages/page-strings'
import { SCRIPT } from './callback.client.generated.ts'
import type { CallbackHandoff } from './callback-handoff.ts'
import type { Ctx } from './group.ts'

/** The UI's callback page, for a browser without an opening window. */
const addressOf = ({ origin, path, answer }: CallbackHandoff): string => {
  const query = new URLSearchParams(Object.entries(answer).map(([name, value]) => [name, String(value)]))
  return `${origin}${path}?${query.toString()}`
}

const Answered = ({ handed, words }: { readonly handed: CallbackHandoff; readonly words: PageStrings['federation'] }) => {
  const url = addressOf(handed)
  const message = { origin: handed.origin, url, message: { type: 'oauth-callback', data: handed.answer } }
  const isDone = handed.answer.success === true
  const [title, text] = isDone ? [words.doneTitle, words.done] : [words.refusedTitle, words.refused]
  return (
    <section data-answer={JSON.stringify(message)}>
      <h1 tabindex={-1} class={isDone ? 'outcome success' : 'outcome refused'}>
        {title}
      </h1>
      <p class="quiet" role="status">
        {text}
      </p>
      <a class="alone" href={url} rel="noreferrer">
        {words.go}
      </a>
    </section>
  )
}

const Stale = ({ ui, words }: { readonly ui: string; readonly words: PageStrings['federation'] }) => (
  <section>
    <h1 tabindex={-1} class="outcome failed">
      {words.staleTitle}
    </h1>
    <p class="quiet">{words.stale}</p>
    <a class="alone" href={ui} rel="noreferrer">
      {words.startAgain}
    </a>
  </section>
)

/** Renders the page in the language of `Accept-Language`. Never cached, because it contains a code. */
export const federationCallbackPage = (ctx: Ctx, handed: CallbackHandoff | undefined): HttpResult<StatusResult<200, string>> => {
  const nonce = randomToken(ctx.random)
  const lang = preferredLanguage(ctx.request.header('accept-language'))
  const words: PageStrings = LANGUAGES[lang]
  const html = renderPage({
    lang,
    nonce,
    title: words.federation.title,
    css: OUTCOME_CSS,
    ...(handed === undefined ? {} : { script: SCRIPT }),
    children: (
      <div class="card">
        <p class="who">{new URL(ctx.config.BASE_URL).host}</p>
        {handed === undefined ? (
          <Stale ui={ctx.config.PUBLIC_UI_ORIGIN ?? ctx.config.BASE_URL} words={words.federation} />
        ) : (
          <Answered handed={handed} words={words.federation} />
        )}
      </div>
    ),
  })
  const headers = {
    'Content-Security-Policy': pagePolicy(nonce, { script: handed !== undefined }),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Language': lang,
    Vary: 'Accept-Language, Cookie',
  }
  return new HttpResult(withStatus(200, html), { headers })
}
