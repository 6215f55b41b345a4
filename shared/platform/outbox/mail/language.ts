// The languages of mails, separate from their texts, so that choosing a language does not load them.

const LANGUAGES = ['en', 'de'] as const
export type MailLanguage = (typeof LANGUAGES)[number]

/** The language of a tag, or English. */
export const mailLanguageOf = (tag: string | undefined): MailLanguage => {
  const primary = tag?.toLowerCase().split('-')[0] ?? 'en'
  return LANGUAGES.find((language) => language === primary) ?? 'en'
}

/** The language of a mail that the reader did not request: the person's choice, else the tenant's setting, else English. */
export const decidedLanguage = (
  tenant: { readonly settings: { readonly language?: MailLanguage | undefined } } | undefined,
  chosen: MailLanguage | null = null,
): MailLanguage => chosen ?? tenant?.settings.language ?? 'en'
