// Chooses the language of a page.
import type { PageStrings } from './page-strings.ts'
import { pagesDe } from './strings/de.ts'
import { pagesEn } from './strings/en.ts'

export const LANGUAGES = { en: pagesEn, de: pagesDe } satisfies Record<string, PageStrings>
export type Language = keyof typeof LANGUAGES

const MOST_ENTRIES = 20
export const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag)

type LanguageRange = { readonly tag: string; readonly weight: number }

/** Parses `de-AT;q=0.8`: the primary language and its weight (RFC 9110 section 12.5.4). */
const parseLanguageRange = (entry: string): LanguageRange => {
  const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const weight = q === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q) : 0
  return { tag: tag.split('-')[0] ?? '', weight }
}

/** The supported language with the highest weight, or English. */
export const preferredLanguage = (acceptLanguage: string | undefined): Language => {
  const ranges = (acceptLanguage ?? '').split(',', MOST_ENTRIES).map(parseLanguageRange)
  for (const { tag } of ranges.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight)) {
    if (tag === '*') return 'en'
    if (isLanguage(tag)) return tag
  }
  return 'en'
}
