// The languages that mails are written in, apart from their words: who chooses one need not carry them.

const LANGUAGES = ['en', 'de'] as const
export type MailLanguage = (typeof LANGUAGES)[number]

/** The language that is asked for, or English. */
export const mailLanguageOf = (tag: string | undefined): MailLanguage => {
  const primary = tag?.toLowerCase().split('-')[0] ?? 'en'
  return LANGUAGES.find((language) => language === primary) ?? 'en'
}

/** For what no request of the reader's caused: what they chose themselves, else what their company decided, else English. */
export const decidedLanguage = (
  tenant: { readonly settings: { readonly language?: MailLanguage | undefined } } | undefined,
  chosen: MailLanguage | null = null,
): MailLanguage => chosen ?? tenant?.settings.language ?? 'en'
