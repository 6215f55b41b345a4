// Describes authorization details (RFC 9396) in words: limits with numbers and units, all other members quoted as requested. Used on every decision
// page and in the lists of applications.
import type { AuthorizationDetail, DetailLimit, DetailType } from '#db/store/oauth-details'
import type { Language } from './language.ts'
import { quotedText } from './quoted.ts'
import { fillPlaceholders } from './wait.ts'

type Words = { readonly atMost: string; readonly times: string; readonly until: string }
const WORDS: Readonly<Record<Language, Words>> = {
  en: { atMost: 'at most {what} in all', times: 'at most {count} times', until: 'until {at}' },
  de: { atMost: 'insgesamt höchstens {what}', times: 'höchstens {count} Mal', until: 'bis {at}' },
}

/** `title` is the tenant's title of the type, or the type's name when it is no longer registered. */
export type DescribedDetail = { readonly title: string; readonly facts: readonly string[] }

/** An amount of minor units; the currency determines the number of decimals. */
const money = (minor: number, currency: string, lang: Language): string => {
  const format = new Intl.NumberFormat(lang, { style: 'currency', currency })
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

const limitInWords = ({ kind, currency_member: currency }: DetailLimit, value: number, detail: AuthorizationDetail, lang: Language): string => {
  const words = WORDS[lang]
  if (kind === 'amount') return fillPlaceholders(words.atMost, { what: money(value, String(detail[currency ?? '']), lang) })
  if (kind === 'calls') return fillPlaceholders(words.times, { count: new Intl.NumberFormat(lang).format(value) })
  const at = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(new Date(value * 1000))
  return fillPlaceholders(words.until, { at: `${at} UTC` })
}

const inWords = (detail: AuthorizationDetail, types: readonly DetailType[], lang: Language): DescribedDetail => {
  const type = types.find((known) => known.type === detail.type)
  const limits = type?.limits ?? []
  const currencies = new Set(limits.map(({ currency_member: member }) => member))
  const facts = Object.entries(detail).filter(([name]) => name !== 'type' && !currencies.has(name))
  return {
    title: quotedText(type?.title ?? detail.type),
    facts: facts.map(([name, value]) => {
      const limit = limits.find(({ member }) => member === name)
      if (limit !== undefined && typeof value === 'number') return limitInWords(limit, value, detail, lang)
      return `${quotedText(name)}: ${quotedText(typeof value === 'string' ? value : JSON.stringify(value))}`
    }),
  }
}

export const describeDetails = (details: readonly AuthorizationDetail[], types: readonly DetailType[], lang: Language): readonly DescribedDetail[] =>
  details.map((detail) => inWords(detail, types, lang))
