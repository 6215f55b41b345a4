// What the page of errors says, in each language. Errors of the protocol mean little to people: what matters is who can do something about them.
import type { Language } from '#shared/platform/pages/language'

export type ChallengeErrorKind = 'refused' | 'expired' | 'asked_wrong'
export type ErrorStrings = Readonly<Record<ChallengeErrorKind, { readonly title: string; readonly text: string }>> & { readonly again: string }

const en: ErrorStrings = {
  refused: { title: 'Nothing was allowed', text: 'You said no, or you may not do this. Go back to the program that sent you here.' },
  expired: { title: 'This took too long', text: 'Go back to the program that sent you here, and begin again.' },
  asked_wrong: {
    title: 'This did not work',
    text: 'The program that sent you here asked for something that is not possible. Tell whoever runs it.',
  },
  again: 'To your own page',
}
const de: ErrorStrings = {
  refused: {
    title: 'Nichts wurde erlaubt',
    text: 'Sie haben abgelehnt, oder Sie dürfen das nicht. Gehen Sie zurück zu dem Programm, das Sie hergeschickt hat.',
  },
  expired: { title: 'Das hat zu lange gedauert', text: 'Gehen Sie zurück zu dem Programm, das Sie hergeschickt hat, und beginnen Sie neu.' },
  asked_wrong: {
    title: 'Das hat nicht geklappt',
    text: 'Das Programm, das Sie hergeschickt hat, wollte etwas, das nicht möglich ist. Sagen Sie es denen, die es betreiben.',
  },
  again: 'Zu Ihrer eigenen Seite',
}

export const ERROR_STRINGS: Readonly<Record<Language, ErrorStrings>> = { en, de }
