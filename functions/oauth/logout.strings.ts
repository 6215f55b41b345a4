// What the sign-out page says, in each language.
import type { Language } from '#shared/platform/pages/language'

export type LogoutStrings = {
  readonly title: string
  readonly text: string
  readonly onward: string
  readonly signOut: string
  readonly stay: string
  readonly busy: string
}

const en: LogoutStrings = {
  title: 'Sign out?',
  text: 'You are signed in as {email}. Programs that you use through this sign-in are signed out, too.',
  onward: 'You go on to {host}.',
  signOut: 'Sign out',
  stay: 'Stay signed in',
  busy: 'One moment …',
}
const de: LogoutStrings = {
  title: 'Abmelden?',
  text: 'Sie sind als {email} angemeldet. Programme, die Sie über diese Anmeldung nutzen, werden auch abgemeldet.',
  onward: 'Es geht weiter zu {host}.',
  signOut: 'Abmelden',
  stay: 'Angemeldet bleiben',
  busy: 'Einen Moment …',
}

export const LOGOUT: Readonly<Record<Language, LogoutStrings>> = { en, de }
