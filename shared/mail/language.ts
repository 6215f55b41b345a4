// The languages that mails are written in, apart from their words: who chooses one need not carry them.

const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

/** The language that is asked for, or English. */
export const languageOf = (tag: string | undefined): Language => {
  const primary = tag?.toLowerCase().split('-')[0] ?? 'en'
  return LANGUAGES.find((language) => language === primary) ?? 'en'
}
