// Strings of the page that the browser returns to after a sign-in for MCP, per language.
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
    done: '“{app}” can now act on behalf of {email}. You can close this page and return to the app.',
    goOn: 'Continue',
    refusedTitle: 'You are not signed in',
    refused: 'You denied the request, or it was not accepted. Nothing was changed.',
  },
  de: {
    title: 'Anmeldung',
    doneTitle: 'Sie sind angemeldet',
    done: '„{app}“ kann jetzt im Namen von {email} handeln. Sie können diese Seite schließen und zur App zurückkehren.',
    goOn: 'Weiter',
    refusedTitle: 'Sie sind nicht angemeldet',
    refused: 'Sie haben die Anfrage abgelehnt, oder sie wurde nicht akzeptiert. Es wurde nichts geändert.',
  },
}
