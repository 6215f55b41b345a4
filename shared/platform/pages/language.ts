// In which language a page speaks, and what every page has to be able to say.
import type { PageStrings } from './page-strings.ts'
import { pagesDe } from './strings/de.ts'
import { pagesEn } from './strings/en.ts'

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
