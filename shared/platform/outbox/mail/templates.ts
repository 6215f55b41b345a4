// Renders mails from their template and data. The texts are in strings/, one file per language.
import type { MailLanguage } from './language.ts'
import { type Letter, type RenderedMail, renderLetter } from './letter.ts'

export { safeDisplayName } from './letter.ts'

import type { MailContent, MailData, MailStrings, MailTemplate } from './mail-data.ts'
import { mailDe } from './strings/de.ts'
import { mailEn } from './strings/en.ts'

const LANGUAGES = { en: mailEn, de: mailDe } satisfies Record<MailLanguage, MailStrings>

const letterOf = <K extends MailTemplate>(strings: MailStrings, template: K, data: MailData[K], tenant: string): Letter =>
  strings[template](data, tenant)

/** Subject, text and HTML in the tenant's name. User-chosen values are escaped, shortened and kept to one line. */
export const renderMail = (content: MailContent, tenantName: string, language: MailLanguage = 'en'): RenderedMail =>
  renderLetter(letterOf(LANGUAGES[language], content.template, content.data, tenantName), tenantName, language)
