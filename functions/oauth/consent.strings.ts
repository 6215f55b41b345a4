// What the consent page says, in each language.
import type { Language } from '#shared/platform/pages/language'

export type ConsentStrings = {
  readonly title: string
  readonly who: string
  readonly registered: string
  readonly unverified: string
  readonly isAt: string
  readonly unverifiedWarning: string
  readonly forWhom: string
  readonly agent: string
  readonly what: string
  readonly at: string
  readonly where: string
  readonly ownDevice: string
  readonly localWarning: string
  readonly howLong: string
  readonly untilSignOut: string
  readonly offline: string
  readonly takeBack: string
  readonly takeBackText: string
  readonly allow: string
  readonly deny: string
  readonly busy: string
  readonly identity: Readonly<Record<'openid' | 'profile' | 'email' | 'offline_access', string>>
}

const en: ConsentStrings = {
  title: '{client} asks for access',
  who: 'Who asks',
  registered: 'Registered by {tenant}',
  unverified: 'unverified',
  isAt: 'proved to be at {host}',
  unverifiedWarning: 'This program chose its own name; {tenant} has not verified it. Check where you will be sent.',
  forWhom: 'For',
  agent: 'through an agent that {owner} answers for',
  what: 'What it may do',
  at: 'At {server}',
  where: 'Where you go on',
  ownDevice: 'a program on this device ({host})',
  localWarning: 'Any program on this device could ask like this. Go on only if you have just started it yourself.',
  howLong: 'How long',
  untilSignOut: 'Until you sign out here.',
  offline: 'For up to 30 days, also after you sign out here.',
  takeBack: 'How to take it back',
  takeBackText: 'Your administrator or you can end it at any time. It stops at once.',
  allow: 'Allow',
  deny: 'Do not allow',
  busy: 'One moment …',
  identity: {
    openid: 'Know that it is you',
    profile: 'See your name and picture',
    email: 'See your e-mail address',
    offline_access: 'Go on when you are not there',
  },
}
const de: ConsentStrings = {
  title: '{client} bittet um Zugriff',
  who: 'Wer fragt',
  registered: 'Eingetragen von {tenant}',
  unverified: 'ungeprüft',
  isAt: 'nachweislich unter {host}',
  unverifiedWarning:
    'Dieses Programm hat sich seinen Namen selbst gegeben; {tenant} hat ihn nicht geprüft. Achten Sie darauf, wohin Sie weitergeleitet werden.',
  forWhom: 'Für',
  agent: 'durch einen Agenten, für den {owner} verantwortlich ist',
  what: 'Was erlaubt wird',
  at: 'Bei {server}',
  where: 'Wohin es weitergeht',
  ownDevice: 'ein Programm auf diesem Gerät ({host})',
  localWarning: 'So kann jedes Programm auf diesem Gerät fragen. Gehen Sie nur weiter, wenn Sie es gerade selbst gestartet haben.',
  howLong: 'Wie lange',
  untilSignOut: 'Bis Sie sich hier abmelden.',
  offline: 'Bis zu 30 Tage, auch nachdem Sie sich hier abgemeldet haben.',
  takeBack: 'Wie Sie es zurücknehmen',
  takeBackText: 'Sie oder Ihre Administration können es jederzeit beenden. Es endet sofort.',
  allow: 'Erlauben',
  deny: 'Nicht erlauben',
  busy: 'Einen Moment …',
  identity: {
    openid: 'Wissen, dass Sie es sind',
    profile: 'Ihren Namen und Ihr Bild sehen',
    email: 'Ihre E-Mail-Adresse sehen',
    offline_access: 'Weitermachen, wenn Sie nicht da sind',
  },
}

export const CONSENT: Readonly<Record<Language, ConsentStrings>> = { en, de }
