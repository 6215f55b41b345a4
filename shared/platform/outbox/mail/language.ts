// The languages that mails are written in, apart from their words: who chooses one need not carry them.

const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

/** The language that is asked for, or English. */
export const languageOf = (tag: string | undefined): Language => {
  const primary = tag?.toLowerCase().split('-')[0] ?? 'en'
  return LANGUAGES.find((language) => language === primary) ?? 'en'
}

/** For what no request of the reader's caused: what they chose themselves, else what their company decided, else English. */
export const decidedLanguage = (
  tenant: { readonly settings: { readonly language?: Language | undefined } } | undefined,
  chosen: Language | null = null,
): Language => chosen ?? tenant?.settings.language ?? 'en'
