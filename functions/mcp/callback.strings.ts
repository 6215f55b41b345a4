// Strings of the callback page, by language.
import type { Language } from '#shared/platform/pages/language'

type CallbackStrings = {
  readonly title: string
  readonly doneTitle: string
  readonly done: string
  readonly goOn: string
  readonly refusedTitle: string
  readonly refused: string
}

export const CALLBACK: Readonly<Record<Language, CallbackStrings>> = {
  en: {
    title: 'Sign-in',
    doneTitle: 'You are signed in',
    done: '“{app}” may now act for {email}. You can close this page and return to it.',
    goOn: 'Continue',
    refusedTitle: 'You are not signed in',
    refused: 'You declined, or the request was not accepted. Nothing has changed.',
  },
  de: {
    title: 'Anmeldung',
    doneTitle: 'Sie sind angemeldet',
    done: '„{app}“ darf jetzt für {email} handeln. Sie können diese Seite schließen und dorthin zurückkehren.',
    goOn: 'Weiter',
    refusedTitle: 'Sie sind nicht angemeldet',
    refused: 'Sie haben abgelehnt, oder die Anfrage wurde nicht angenommen. Es hat sich nichts geändert.',
  },
}
