// Strings of the page for authorization errors, per language. Error codes mean little to people: the texts say what to do.
import type { Language } from '#shared/platform/pages/language'

export type ChallengeErrorKind = 'refused' | 'expired' | 'invalid_request'
export type ErrorStrings = Readonly<Record<ChallengeErrorKind, { readonly title: string; readonly text: string }>> & { readonly again: string }

const en: ErrorStrings = {
  refused: {
    title: 'Access was not granted',
    text: 'You denied the request, or you may not do this. Go back to the application that sent you here.',
  },
  expired: { title: 'The request has expired', text: 'Go back to the application that sent you here and start again.' },
  invalid_request: {
    title: 'The request is invalid',
    text: 'The application that sent you here made a request that is not possible. Please tell its operator.',
  },
  again: 'Go to your account',
}
const de: ErrorStrings = {
  refused: {
    title: 'Der Zugriff wurde nicht erlaubt',
    text: 'Sie haben abgelehnt, oder Sie dürfen das nicht. Gehen Sie zurück zu der Anwendung, die Sie hergeschickt hat.',
  },
  expired: { title: 'Die Anfrage ist abgelaufen', text: 'Gehen Sie zurück zu der Anwendung, die Sie hergeschickt hat, und beginnen Sie neu.' },
  invalid_request: {
    title: 'Die Anfrage ist ungültig',
    text: 'Die Anwendung, die Sie hergeschickt hat, hat etwas Unmögliches angefragt. Bitte informieren Sie ihren Betreiber.',
  },
  again: 'Zu Ihrem Konto',
}

export const ERROR_STRINGS: Readonly<Record<Language, ErrorStrings>> = { en, de }
