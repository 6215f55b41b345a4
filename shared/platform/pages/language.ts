// In which language a page speaks, and what every page has to be able to say.
import { pagesDe } from './strings/de.ts'
import { pagesEn } from './strings/en.ts'

/** What a form says when it was not accepted, by error code. `{shortest}` and `{wait}` are filled in where they are shown. */
export type FormMessages = {
  /** Above the field errors, as a heading. */
  readonly heading: string
  /** For every code without words of its own. */
  readonly other: string
  readonly offline: string
  readonly rate_limited: string
  readonly empty: string
  readonly password_too_short: string
  readonly password_too_long: string
  readonly password_guessable: string
  readonly password_breached: string
  readonly invalid_request: string
}

export type PageStrings = {
  readonly form: {
    readonly messages: FormMessages
    readonly showPassword: string
    readonly hidePassword: string
    readonly tryAgain: string
    readonly signIn: string
  }
  readonly noScript: { readonly title: string; readonly text: string }
  readonly setPassword: {
    readonly title: string
    readonly wait: string
    readonly account: string
    readonly password: string
    readonly rule: string
    readonly submit: string
    readonly busy: string
    readonly doneTitle: string
    readonly done: string
    readonly expiredTitle: string
    readonly expired: string
    readonly missingTitle: string
    readonly missing: string
    readonly troubleTitle: string
  }
  /** The page that a provider sends the browser back to. */
  readonly federation: {
    readonly title: string
    readonly doneTitle: string
    readonly done: string
    readonly refusedTitle: string
    readonly refused: string
    readonly go: string
    readonly staleTitle: string
    readonly stale: string
    readonly startAgain: string
  }
}

export const LANGUAGES = { en: pagesEn, de: pagesDe } satisfies Record<string, PageStrings>
export type Language = keyof typeof LANGUAGES

const MOST_ENTRIES = 20
export const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag)

type Wish = { readonly tag: string; readonly weight: number }

/** `de-AT;q=0.8`: the language of the tag, and how much it is wanted (RFC 9110 section 12.5.4). */
const wishOf = (entry: string): Wish => {
  const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const weight = q === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0
  return { tag: tag.split('-')[0] ?? '', weight }
}

/** The best wish that we can meet, or English. */
export const preferredLanguage = (acceptLanguage: string | undefined): Language => {
  const wishes = (acceptLanguage ?? '').split(',', MOST_ENTRIES).map(wishOf)
  for (const { tag } of wishes.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight)) {
    if (tag === '*') return 'en'
    if (isLanguage(tag)) return tag
  }
  return 'en'
}
