// Strings of the page for authorization errors, per language. The texts tell people what to do instead of quoting error codes.
import type { Language } from '#shared/platform/pages/language'

export type ChallengeErrorKind = 'refused' | 'expired' | 'invalid_request'
export type ErrorStrings = Readonly<Record<ChallengeErrorKind, { readonly title: string; readonly text: string }>> & { readonly again: string }

const en: ErrorStrings = {
  refused: {
    title: 'Access denied',
    text: 'You denied the request, or you do not have permission. Go back to the app that sent you here.',
  },
  expired: { title: 'The request has expired', text: 'Go back to the app that sent you here and start again.' },
  invalid_request: {
    title: 'The request is invalid',
    text: 'The app that sent you here made a request that cannot be processed. Please tell its operator.',
  },
  again: 'Go to your account',
}
const de: ErrorStrings = {
  refused: {
    title: 'Zugriff verweigert',
    text: 'Sie haben die Anfrage abgelehnt oder keine Berechtigung. Kehren Sie zu der App zurück, aus der Sie gekommen sind.',
  },
  expired: { title: 'Die Anfrage ist abgelaufen', text: 'Kehren Sie zu der App zurück, aus der Sie gekommen sind, und beginnen Sie von vorn.' },
  invalid_request: {
    title: 'Die Anfrage ist ungültig',
    text: 'Die App, aus der Sie gekommen sind, hat eine Anfrage gestellt, die nicht verarbeitet werden kann. Bitte informieren Sie den Betreiber der App.',
  },
  again: 'Zu Ihrem Konto',
}

export const ERROR_STRINGS: Readonly<Record<Language, ErrorStrings>> = { en, de }
