// Strings of the page that posts the response to the client, per language.
import type { Language } from '#shared/platform/pages/language'

export type FormPostStrings = { readonly title: string; readonly text: string; readonly go: string }

const en: FormPostStrings = { title: 'One moment …', text: 'You are being taken to {host}.', go: 'Continue' }
const de: FormPostStrings = { title: 'Einen Moment …', text: 'Sie werden zu {host} weitergeleitet.', go: 'Weiter' }

export const FORM_POST: Readonly<Record<Language, FormPostStrings>> = { en, de }
