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
import { pagePolicy, renderPage, styleOf } from './layout.tsx'
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
const backToForm = (error: AppError, { request, sent }: ErrorContext, at: Date): RenderedError | undefined => {
  const visit = readVisit({ request })
  const { retryAfterSeconds, saidOn } = error.details
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (visit === undefined || (isRead && saidOn === undefined) || error.code === 'cross_site') return undefined
  const page = saidOn ?? request.page
  const field = fieldOf(error)
  const said = {
    page,
    code: error.code,
    ...(field === undefined ? {} : { field }),
    ...(retryAfterSeconds === undefined ? {} : { until: at.getTime() + retryAfterSeconds * 1000 }),
    typed: submittedValues(sent),
  }
  return redirectTo(page, { 'Set-Cookie': cookieLine(visitCookie({ request }, { ...visit, said }), request.secure) })
}

const FAILURES: Readonly<Record<string, 'forbidden' | 'unavailable'>> = {
  insufficient_scope: 'forbidden',
  tenant_mismatch: 'forbidden',
  timeout: 'unavailable',
}

const wordsFor = async (error: AppError, request: RequestInfo | undefined) => {
  const lang = request === undefined ? preferredLanguage(undefined) : pageLanguageOf(request, readVisit({ request }))
  const { failure, goOn, reference } = await hostedWords(lang)
  const kinds: Readonly<Record<string, { readonly title: string; readonly text: string }>> = failure
  const reported = kinds[FAILURES[error.code] ?? error.code] ?? failure.other
  return {
    lang,
    goOn,
    reference,
    title: reported.title,
    text: fillPlaceholders(reported.text, { wait: formatWait(error.details.retryAfterSeconds ?? 60, lang) }),
  }
}

const STYLE_HASH = (): string => `'sha256-${createHash('sha256').update(styleOf('')).digest('base64')}'`

const ownPage = async (error: AppError, requestId: string, request: RequestInfo | undefined): Promise<RenderedError> => {
  const { lang, title, text, goOn, reference } = await wordsFor(error, request)
  const html = renderPage({
    lang,
    title,
    nonce: '',
    body: { 'data-code': error.code },
    children: (
      <div class="card">
        <h1>{title}</h1>
        <p>{text}</p>
        {request === undefined || error.code === 'not_found' ? (
          ''
        ) : (
          <p>
            <a class="alone" href={request.page}>
              {goOn}
            </a>
          </p>
        )}
        <p class="quiet">
          {reference}: {requestId}
        </p>
      </div>
    ),
  })
  // Its style sheet never changes, so the policy names it by its digest.
  const policy = pagePolicy('', {}).replace(`'nonce-'`, STYLE_HASH())
  return {
    body: html,
    type: TYPE,
    headers: { ...headersOf(error), 'Content-Security-Policy': policy, 'Content-Language': lang, Vary: 'Accept-Language' },
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
  if (context !== undefined && error.code === 'sign_in_required') return redirectTo(signInPath(context.request, { returnTo: context.request.page }))
  if (context !== undefined && error.code === 'insufficient_user_authentication') return redirectTo(confirmPath(error, context.request.page))
  if (context !== undefined && error.code === 'password_change_required') {
    return redirectTo(`/me/password?${new URLSearchParams({ return_to: context.request.page })}`)
  }
  return (context === undefined ? undefined : backToForm(error, context, at)) ?? ownPage(error, requestId, context?.request)
}
