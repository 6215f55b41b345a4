// Strings of the consent page, per language.
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
  /** For a session of an MCP client. */
  readonly mcp: {
    readonly warning: string
    readonly app: string
    readonly tools: string
    readonly groups: string
    readonly permission: string
    readonly resource: string
    readonly howLong: string
    readonly code: string
    readonly codeHint: string
    readonly wrongCode: string
  }
  readonly identity: Readonly<Record<'openid' | 'profile' | 'email' | 'offline_access', string>>
}

const en: ConsentStrings = {
  title: '{client} requests access',
  who: 'Requested by',
  registered: 'registered by {tenant}',
  unverified: 'unverified',
  isAt: 'served from {host}',
  unverifiedWarning: 'This app chose its own name; {tenant} has not verified it. Check where you will be redirected.',
  forWhom: 'Account',
  agent: 'through an agent owned by {owner}',
  what: 'Permissions',
  at: 'At {server}',
  where: 'Redirects to',
  ownDevice: 'an app on this device ({host})',
  localWarning: 'Any app on this device could make this request. Continue only if you just started it yourself.',
  howLong: 'Duration',
  untilSignOut: 'Until you sign out here.',
  offline: 'For up to 30 days, even after you sign out here.',
  takeBack: 'Revoking access',
  takeBackText: 'You can revoke access at any time under “Account security”, and so can your administrator. It ends immediately.',
  allow: 'Allow',
  deny: 'Deny',
  busy: 'One moment …',
  mcp: {
    warning:
      'If you allow this, “{app}” can act in your name. Continue only if you started this sign-in yourself. If another person sent you the link, deny it.',
    app: 'for “{app}”',
    tools: 'Call the tools of “{app}” in your name',
    groups: 'See your roles and groups',
    permission: 'Use your permission {permission}',
    resource: 'Use all of your permissions for {resource}',
    howLong: 'For one hour, or until you sign out here.',
    code: 'Code',
    codeHint: 'Enter the code that the app shows. Do not enter a code that another person gave you.',
    wrongCode: 'This is not the code that the app shows. Check it and try again.',
  },
  identity: {
    openid: 'Know who you are',
    profile: 'See your name and picture',
    email: 'See your email address',
    offline_access: 'Keep access when you are not using the app',
  },
}
const de: ConsentStrings = {
  title: '{client} bittet um Zugriff',
  who: 'Angefordert von',
  registered: 'eingetragen von {tenant}',
  unverified: 'ungeprüft',
  isAt: 'bereitgestellt von {host}',
  unverifiedWarning: 'Diese App hat ihren Namen selbst gewählt; {tenant} hat ihn nicht geprüft. Achten Sie darauf, wohin Sie weitergeleitet werden.',
  forWhom: 'Konto',
  agent: 'über einen Agenten, für den {owner} verantwortlich ist',
  what: 'Berechtigungen',
  at: 'Bei {server}',
  where: 'Weiterleitung zu',
  ownDevice: 'einer App auf diesem Gerät ({host})',
  localWarning: 'Diese Anfrage könnte von jeder App auf diesem Gerät stammen. Fahren Sie nur fort, wenn Sie die App gerade selbst gestartet haben.',
  howLong: 'Dauer',
  untilSignOut: 'Bis Sie sich hier abmelden.',
  offline: 'Bis zu 30 Tage, auch nachdem Sie sich hier abgemeldet haben.',
  takeBack: 'Zugriff widerrufen',
  takeBackText: 'Sie können den Zugriff jederzeit unter „Kontosicherheit“ widerrufen, ebenso Ihre Administration. Er endet sofort.',
  allow: 'Erlauben',
  deny: 'Ablehnen',
  busy: 'Einen Moment …',
  mcp: {
    warning:
      'Wenn Sie zustimmen, kann „{app}“ in Ihrem Namen handeln. Fahren Sie nur fort, wenn Sie diese Anmeldung selbst gestartet haben. Wenn Ihnen eine andere Person den Link geschickt hat, lehnen Sie ab.',
    app: 'für „{app}“',
    tools: 'Die Werkzeuge von „{app}“ in Ihrem Namen aufrufen',
    groups: 'Ihre Rollen und Gruppen sehen',
    permission: 'Ihre Berechtigung {permission} verwenden',
    resource: 'Alle Ihre Berechtigungen für {resource} verwenden',
    howLong: 'Eine Stunde, oder bis Sie sich hier abmelden.',
    code: 'Code',
    codeHint: 'Geben Sie den Code ein, den die App anzeigt. Geben Sie keinen Code ein, den Sie von einer anderen Person haben.',
    wrongCode: 'Das ist nicht der Code, den die App anzeigt. Prüfen Sie ihn und versuchen Sie es erneut.',
  },
  identity: {
    openid: 'Wissen, wer Sie sind',
    profile: 'Ihren Namen und Ihr Bild sehen',
    email: 'Ihre E-Mail-Adresse sehen',
    offline_access: 'Zugriff behalten, wenn Sie die App nicht verwenden',
  },
}

export const CONSENT: Readonly<Record<Language, ConsentStrings>> = { en, de }
