// The frame of the hosted pages: brand, language, the message about the last form, and the token of its forms.
import type { Child } from 'hono/jsx'
import type { TenantId } from '#db/engine/tenant'
import type { RequestInfo } from '#shared/kernel/context'
import { randomToken } from '#shared/kernel/random'
import type { PlatformRequestCtx } from '#shared/platform/context'
import { PASSWORD_LENGTH } from '#shared/platform/crypto/password-length'
import { FORM_TOKEN, formToken } from '#shared/platform/http/pages/form'
import { safeReturn } from '#shared/platform/http/pages/return-to'
import { currentVisit, type FlashMessage, type Visit, visitCookie } from '#shared/platform/http/pages/visit'
import { type Cookie, HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { type Brand, brandOf } from './brand.ts'
import { FORM_CSS, Summary } from './form.tsx'
import { HOSTED_CSS } from './hosted.css.ts'
import { isLanguage, LANGUAGES, type Language, preferredLanguage } from './language.ts'
import { type Outcome, pagePolicy, renderPage } from './layout.tsx'
import type { PageStrings } from './page-strings.ts'
import type { HostedStrings } from './strings/hosted-en.ts'
import { fillPlaceholders, formatWait } from './wait.ts'

/** A language is loaded with its first page, so that the start does not grow with the number of languages. */
const HOSTED: Readonly<Record<Language, () => Promise<HostedStrings>>> = {
  en: async () => (await import('./strings/hosted-en.ts')).hostedEn,
  de: async () => (await import('./strings/hosted-de.ts')).hostedDe,
}

export type Hosted = {
  readonly request: RequestInfo
  readonly lang: Language
  readonly words: HostedStrings
  readonly forms: PageStrings['form']
  readonly brand: Brand
  readonly visit: Visit
  /** The message about the last form, when this page sent it. */
  readonly said: FlashMessage | undefined
  readonly nonce: string
  readonly token: string
  /** Path and query to which the page's form is submitted. */
  readonly action: string
  readonly principal: User | undefined
  readonly now: Date
  /** The tenant's minimum password length. */
  readonly shortest: string
  /** The message about the last form, in the reader's language. */
  readonly notice: string | undefined
  /** The messages of the fields, where several were refused. */
  readonly fieldNotices: Readonly<Record<string, string>>
}

const pathOf = (page: string): string => page.split('?')[0] ?? page
const withParameter = (page: string, name: string, value: string | undefined): string => {
  const parameters = new URLSearchParams(page.split('?')[1] ?? '')
  parameters.delete(name)
  if (value !== undefined) parameters.set(name, value)
  const query = parameters.toString()
  return query === '' ? pathOf(page) : `${pathOf(page)}?${query}`
}

/** The first supported language in `ui_locales` (OpenID Connect Core section 3.1.2.1). */
export const requestedLanguage = (uiLocales: string | undefined): Language | undefined =>
  uiLocales
    ?.split(' ', 20)
    .map((tag) => tag.toLowerCase().split('-')[0] ?? '')
    .find(isLanguage)

/** The chosen language, else the one that the client requests, else the browser's. */
export const pageLanguageOf = (request: RequestInfo, visit: Visit | undefined, uiLocales?: string): Language => {
  const chosen = new URLSearchParams(request.page.split('?')[1] ?? '').get('lang') ?? visit?.lang
  if (chosen !== undefined && isLanguage(chosen)) return chosen
  return requestedLanguage(uiLocales) ?? preferredLanguage(request.header('accept-language'))
}
export const hostedWords = (lang: Language): Promise<HostedStrings> => HOSTED[lang]()

/** Error codes of malformed fields. */
const MALFORMED: readonly (readonly [RegExp, string])[] = [
  [/email$/, 'invalid_email'],
  [/password$/, 'empty_password'],
  [/^otp$|^code/, 'malformed_code'],
  [/^phone/, 'invalid_phone'],
]

type Reported = Pick<FlashMessage, 'code' | 'field' | 'fields'>
const reportedCode = ({ code, field, fields }: Reported): string => {
  if (fields !== undefined) return 'several_fields'
  return code === 'invalid_request' ? (MALFORMED.find(([pattern]) => pattern.test(field ?? ''))?.[1] ?? code) : code
}

/** The text of a message by what was reported. */
const noticesIn = (words: HostedStrings, lang: Language, said: FlashMessage | undefined, now: Date, values: Readonly<Record<string, string>>) => {
  const wait = formatWait(said?.until === undefined ? 60 : (said.until - now.getTime()) / 1000, lang)
  return (reported: Reported): string => {
    const code = reportedCode(reported)
    // The code comes from a cookie, which the browser's owner can edit.
    const texts = [words.done, words.errors].find((known) => Object.hasOwn(known, code))
    return fillPlaceholders(texts?.[code] ?? words.errors.other ?? '', { ...values, wait })
  }
}

type Whose = {
  readonly principal?: User | undefined
  readonly tenantId?: TenantId | undefined
  readonly uiLocales?: string | undefined
  /** The brand, when the caller has already loaded it. */
  readonly brand?: Brand
}

/** Loads the common data of a page. */
export const openPage = async (ctx: PlatformRequestCtx, { principal, tenantId, uiLocales, ...read }: Whose): Promise<Hosted> => {
  const { request } = ctx
  const known = currentVisit(ctx)
  const lang = pageLanguageOf(request, known, uiLocales)
  const words = await hostedWords(lang)
  const brand = read.brand ?? (await brandOf(ctx, tenantId ?? principal?.tenantId))
  const said = known.said !== undefined && pathOf(known.said.page) === pathOf(request.page) ? known.said : undefined
  const shortest = String(brand.tenant?.settings.requireSecondFactor === true ? PASSWORD_LENGTH.withSecondFactor : PASSWORD_LENGTH.alone)
  const { said: _, ...rest } = known
  const visit = new URLSearchParams(request.page.split('?')[1] ?? '').has('lang') ? { ...rest, lang } : rest
  const noticeOf = noticesIn(words, lang, said, ctx.clock.now(), { shortest })
  return {
    request,
    lang,
    words,
    forms: LANGUAGES[lang].form,
    brand,
    visit,
    said,
    nonce: randomToken(ctx.random),
    token: formToken(ctx, request, known.browser),
    action: withParameter(request.page, 'lang', undefined),
    principal,
    now: ctx.clock.now(),
    shortest,
    notice: said === undefined ? undefined : noticeOf(said),
    fieldNotices: Object.fromEntries(Object.entries(said?.fields ?? {}).map(([field, code]) => [field, noticeOf({ code, field })])),
  }
}

const isDone = (page: Hosted): boolean => page.said !== undefined && Object.hasOwn(page.words.done, page.said.code)

/** The error of a field: the error names the field, or always concerns it on this page. */
export const errorOf = (page: Hosted, field: string, ...codes: readonly string[]): string | undefined =>
  page.fieldNotices[field] ??
  (page.said !== undefined && !isDone(page) && (page.said.field === field || (page.said.field === undefined && codes.includes(page.said.code)))
    ? page.notice
    : undefined)

export const typedValue = (page: Hosted, field: string): string | undefined => page.said?.typed?.[field]

type FormProps = {
  readonly page: Hosted
  /** Target of the form, when it is not the page itself. */
  readonly action?: string
  /** Displays the error summary; one form per page does. */
  readonly main?: boolean
  readonly children?: Child
}

/** A form that the browser submits itself. */
export const HostedForm = ({ page, action, main = false, children }: FormProps) => (
  <form method="post" action={action ?? page.action} novalidate>
    {main ? <Summary heading={page.forms.messages.heading} text={page.said === undefined || isDone(page) ? undefined : page.notice} /> : ''}
    <input type="hidden" name={FORM_TOKEN} value={page.token} />
    {children}
  </form>
)

/** The message about a completed action. */
export const DoneNotice = ({ page }: { readonly page: Hosted }) =>
  isDone(page) ? (
    <p class="note" role="status">
      {page.notice}
    </p>
  ) : (
    ''
  )

/** For a signed-in person the choice is stored, so it is a form, and it returns to the current page. */
const Languages = ({ page }: { readonly page: Hosted }) => {
  const back = page.principal === undefined ? undefined : safeReturn(page.action)
  const languages = Object.entries(page.words.languages).map(([lang, name]) => {
    if (lang === page.lang) return <span aria-current="true">{name}</span>
    if (back === undefined)
      return (
        <a href={withParameter(page.request.page, 'lang', lang)} lang={lang} hreflang={lang}>
          {name}
        </a>
      )
    return (
      <button type="submit" class="link" name="lang" value={lang} lang={lang} data-label={name} data-busy={page.words.busy}>
        {name}
      </button>
    )
  })
  return (
    <nav aria-label={page.words.language}>
      {back === undefined ? (
        languages
      ) : (
        <HostedForm page={page} action="/me/language">
          <input type="hidden" name="return_to" value={back} />
          {languages}
        </HostedForm>
      )}
    </nav>
  )
}

const Foot = ({ page }: { readonly page: Hosted }) => (
  <footer class="foot">
    <Languages page={page} />
    <details>
      <summary>{page.words.help}</summary>
      <p>
        {fillPlaceholders(page.words.helpText, { tenant: page.brand.name })} {page.words.reference}: {page.request.id}
      </p>
    </details>
  </footer>
)

/** Stands for a logo: the first letters of the first two words. */
export const initialsOf = (name: string): string =>
  name
    .split(/[\s.\-_]+/)
    .flatMap((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? [])
    .slice(0, 2)
    .join('')
    .toLocaleUpperCase()

const Head = ({ brand }: Hosted) => (
  <p class="brand">
    {brand.logo === undefined ? (
      <span class="initials" aria-hidden="true">
        {initialsOf(brand.name)}
      </span>
    ) : (
      <img src={brand.logo} alt="" />
    )}
    <span>{brand.name}</span>
  </p>
)

type Content = {
  readonly title: string
  /** Approval pages are wider. */
  readonly kind?: 'task' | 'approve'
  /** Of a page that only states how something ended. */
  readonly outcome?: Outcome
  readonly script?: string
  /** Its script registers the service worker. */
  readonly worker?: boolean
  readonly cookies?: readonly Cookie[]
  /** Additions to the visit cookie. */
  readonly remember?: Partial<Visit>
  readonly children?: Child
}

/** The page as a result. The message is removed from the visit cookie, so that it appears once. */
export const pageResult = (ctx: PlatformRequestCtx, page: Hosted, content: Content): HttpResult<StatusResult<200, string>> => {
  const { nonce, lang } = page
  const { kind = 'task', script, worker = false, cookies = [] } = content
  const html = renderPage({
    lang,
    nonce,
    title: `${content.title} · ${page.brand.name}`,
    css: `${FORM_CSS}${HOSTED_CSS}${page.brand.css}`,
    ...(script === undefined ? {} : { script }),
    body: { class: kind === 'approve' ? 'approve' : '', 'data-offline': page.forms.messages.offline },
    children: (
      <>
        <div class="card">
          {Head(page)}
          <h1 {...(content.outcome === undefined ? {} : { class: `outcome ${content.outcome}` })}>{content.title}</h1>
          <DoneNotice page={page} />
          {content.children}
        </div>
        <Foot page={page} />
      </>
    ),
  })
  const headers = {
    'Content-Security-Policy': pagePolicy(nonce, { script: script !== undefined, forms: true, worker }),
    // With `no-referrer`, browsers would also send no usable Origin header with forms.
    'Referrer-Policy': 'same-origin',
    'Content-Language': lang,
    Vary: 'Accept-Language, Cookie',
  }
  return new HttpResult(withStatus(200, html), { headers, cookies: [...cookies, visitCookie(ctx, { ...page.visit, ...content.remember })] })
}
