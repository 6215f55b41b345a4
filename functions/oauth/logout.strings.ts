// Strings of the sign-out page, per language.
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
  text: 'You are signed in as {email}. Apps that you use with this sign-in are signed out as well.',
  onward: 'You will be redirected to {host}.',
  signOut: 'Sign out',
  stay: 'Stay signed in',
  busy: 'One moment …',
}
const de: LogoutStrings = {
  title: 'Abmelden?',
  text: 'Sie sind als {email} angemeldet. Apps, die Sie mit dieser Anmeldung nutzen, werden ebenfalls abgemeldet.',
  onward: 'Sie werden zu {host} weitergeleitet.',
  signOut: 'Abmelden',
  stay: 'Angemeldet bleiben',
  busy: 'Einen Moment …',
}

export const LOGOUT: Readonly<Record<Language, LogoutStrings>> = { en, de }
