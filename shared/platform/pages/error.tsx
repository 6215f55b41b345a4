// Renders errors of hosted pages. A refused form redirects to its page, which displays the error at the field, so that reloading repeats nothing.
// Missing sign-ins redirect to sign-in. All other errors have a page of their own.
import { createHash } from 'node:crypto'
import type { RequestInfo } from '#shared/kernel/context'
import type { AppError } from '#shared/kernel/errors'
import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { readVisit, visitCookie } from '#shared/platform/http/pages/visit'
import { type ErrorContext, type ErrorRenderer, headersOf, type RenderedError } from '#shared/platform/http/problem'
import { cookieLine } from '#shared/platform/http/reply'
import { hostedWords, pageLanguageOf } from './hosted.tsx'
import { preferredLanguage } from './language.ts'
import { OUTCOME_CSS, type Outcome, pagePolicy, renderPage, styleOf } from './layout.tsx'
import { fillPlaceholders, formatWait } from './wait.ts'

const TYPE = 'text/html; charset=utf-8'
/** Fields that are never filled in again, because the response would contain them. */
const SECRET = /password|otp|code|token|answer|response/
const MAX_SUBMITTED_LENGTH = 320

const redirectTo = (path: string, headers: Readonly<Record<string, string>> = {}): RenderedError => ({
  status: 303,
  body: '',
  type: TYPE,
  headers: { ...headers, Location: path },
})

const submittedValues = (sent: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof sent === 'object' && sent !== null ? sent : {}).filter(
      ([name, value]) => typeof value === 'string' && value.length <= MAX_SUBMITTED_LENGTH && !SECRET.test(name),
    ),
  )

/** The last part of the path: `email` of `form.email`. */
const fieldOf = ({ details: { field } }: AppError): string | undefined => field?.split('.').at(-1)

/** Redirects to the form's page. Without the visit cookie the browser has no cookies for us, and the page could not display the error. */
const backToForm = (error: AppError, request: RequestInfo, sent: unknown, at: Date): RenderedError | undefined => {
  const visit = readVisit({ request })
  const { retryAfterSeconds, saidOn } = error.details
  if (visit === undefined || (isRead(request) && saidOn === undefined) || error.code === 'cross_site') return undefined
  const page = saidOn ?? request.page
  const field = fieldOf(error)
  const said = {
    page,
    code: error.code,
    ...(field === undefined ? {} : { field }),
    ...(error.details.fields === undefined ? {} : { fields: { ...error.details.fields } }),
    ...(retryAfterSeconds === undefined ? {} : { until: at.getTime() + retryAfterSeconds * 1000 }),
    typed: submittedValues(sent),
  }
  return redirectTo(page, { 'Set-Cookie': cookieLine(visitCookie({ request }, { ...visit, said }), request.secure) })
}

const FAILURES: Readonly<Record<string, 'forbidden' | 'unavailable' | 'expired' | 'program'>> = {
  insufficient_scope: 'forbidden',
  tenant_mismatch: 'forbidden',
  timeout: 'unavailable',
  unauthorized: 'program',
  invalid_token: 'program',
  client_authentication_failed: 'program',
  method_not_allowed: 'program',
  invalid_request_uri: 'expired',
  login_challenge_invalid: 'expired',
  consent_challenge_invalid: 'expired',
}

const isRead = ({ method }: RequestInfo): boolean => method === 'GET' || method === 'HEAD'

const kindOf = ({ code, details }: AppError, request: RequestInfo | undefined): string => {
  const kind = FAILURES[code]
  if (kind !== undefined) return kind
  // The application made the request, not the reader.
  if (details.named !== undefined) return 'authorization'
  return code === 'invalid_request' && request !== undefined && isRead(request) ? 'link' : code
}

const wordsFor = async (error: AppError, context: ErrorContext | undefined) => {
  const request = context?.request
  const lang = request === undefined ? preferredLanguage(context?.header('accept-language')) : pageLanguageOf(request, readVisit({ request }))
  const { failure, goOn, reference, developer } = await hostedWords(lang)
  const kinds: Readonly<Record<string, { readonly title: string; readonly text: string }>> = failure
  const reported = kinds[kindOf(error, request)] ?? failure.other
  return {
    lang,
    goOn,
    reference,
    developer,
    title: reported.title,
    text: fillPlaceholders(reported.text, { wait: formatWait(error.details.retryAfterSeconds ?? 60, lang) }),
  }
}

/** All others failed. */
const OUTCOMES: Readonly<Record<string, Outcome>> = { forbidden: 'refused', insufficient_scope: 'refused', tenant_mismatch: 'refused' }

const CSS = `${OUTCOME_CSS}
.reference { overflow-wrap: anywhere }
.developer { margin-top: 24px; padding-top: 16px; border-top: 1px solid var(--line) }
.developer dl { margin: 0 }
.developer dt { color: var(--quiet); font-size: 14px }
.developer dd { margin: 0 0 8px; font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
`
const STYLE_HASH = (): string => `'sha256-${createHash('sha256').update(styleOf(CSS)).digest('base64')}'`

/** Errors after which the same request can succeed. */
const PASSES: ReadonlySet<string> = new Set(['form_expired', 'rate_limited', 'quota_exceeded', 'timeout', 'unavailable', 'internal'])

/** Where the page leads: to the page of the form that was refused, or to the same page again where that can help. */
const nextOf = (error: AppError, context: ErrorContext | undefined): string | undefined => {
  if (context?.request === undefined || error.code === 'not_found') return undefined
  if (context.next !== undefined) return context.next
  const { isOfPage, request } = context
  return (isRead(request) ? PASSES.has(error.code) : isOfPage) ? request.page : undefined
}

type ForDevelopers = { readonly error: AppError; readonly words: { readonly title: string; readonly text: string } }
/** Displayed in development only: the code, the reason, and what the request named. */
const DeveloperSection = ({ error, words }: ForDevelopers) => {
  const facts = Object.entries({ code: error.code, detail: error.message, ...error.details.named })
  return (
    <section class="developer">
      <h2>{words.title}</h2>
      <p class="quiet">{words.text}</p>
      <dl>
        {facts.map(([name, value]) =>
          value === undefined ? (
            ''
          ) : (
            <>
              <dt>{name}</dt>
              <dd dir="ltr">{value}</dd>
            </>
          ),
        )}
      </dl>
    </section>
  )
}

const ownPage = async (error: AppError, requestId: string, context: ErrorContext | undefined): Promise<RenderedError> => {
  const { lang, title, text, goOn, reference, developer } = await wordsFor(error, context)
  const next = nextOf(error, context)
  const html = renderPage({
    css: CSS,
    lang,
    title,
    nonce: '',
    body: { 'data-code': error.code },
    children: (
      <div class="card">
        <h1 class={`outcome ${OUTCOMES[error.code] ?? 'failed'}`}>{title}</h1>
        <p>{text}</p>
        {next === undefined ? (
          ''
        ) : (
          <p>
            <a class="alone" href={next}>
              {goOn}
            </a>
          </p>
        )}
        <p class="quiet reference">
          {reference}: {requestId}
        </p>
        {context?.isDevelopment === true ? <DeveloperSection error={error} words={developer} /> : ''}
      </div>
    ),
  })
  // Its style sheet never changes, so the policy names it by its digest.
  const policy = pagePolicy('', {}).replace(`'nonce-'`, STYLE_HASH())
  return {
    body: html,
    type: TYPE,
    headers: { ...headersOf(error), 'Content-Security-Policy': policy, 'Content-Language': lang, Vary: 'Accept, Accept-Language' },
  }
}

const confirmPath = (error: AppError, page: string): string => {
  const maxAge = /max_age="(\d+)"/.exec(error.details.headers?.['WWW-Authenticate'] ?? '')?.[1]
  const acr = /acr_values="([\w ]+)"/.exec(error.details.headers?.['WWW-Authenticate'] ?? '')?.[1]
  const query = new URLSearchParams({
    ...(maxAge === undefined ? {} : { max_age: maxAge }),
    ...(acr === undefined ? {} : { acr_values: acr }),
    return_to: page,
  })
  return `/confirm?${query}`
}

export const pageError: ErrorRenderer = (error, requestId, at, context) => {
  const request = context?.request
  if (request === undefined) return ownPage(error, requestId, context)
  if (error.code === 'sign_in_required') return redirectTo(signInPath(request, { returnTo: request.page }))
  if (error.code === 'insufficient_user_authentication') return redirectTo(confirmPath(error, request.page))
  if (error.code === 'password_change_required') return redirectTo(`/me/password?${new URLSearchParams({ return_to: request.page })}`)
  return backToForm(error, request, context?.sent, at) ?? ownPage(error, requestId, context)
}
