// German.
import type { PageStrings } from '../page-strings.ts'

export const pagesDe: PageStrings = {
  form: {
    messages: {
      heading: 'Bitte prüfen Sie:',
      other: 'Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.',
      offline: 'Es besteht keine Verbindung zum Server. Prüfen Sie Ihr Netz und versuchen Sie es noch einmal.',
      rate_limited: 'Das waren zu viele Versuche. Versuchen Sie es in {wait} noch einmal.',
      empty: 'Geben Sie ein Passwort ein.',
      password_too_short: 'Nehmen Sie mindestens {shortest} Zeichen. Ein paar Wörter hintereinander sind leicht zu merken.',
      password_too_long: 'Nehmen Sie höchstens 128 Zeichen.',
      password_guessable: 'Das besteht aus Ihrem eigenen Namen oder Ihrer Adresse. Nehmen Sie etwas, das niemand errät.',
      password_breached: 'Dieses Passwort steht in Listen gestohlener Passwörter. Nehmen Sie ein anderes.',
      invalid_request: 'Das Passwort enthält ein Zeichen, das nicht verwendet werden kann. Geben Sie es noch einmal ein.',
    },
    showPassword: 'Zeigen',
    hidePassword: 'Verbergen',
    tryAgain: 'Noch einmal versuchen',
    signIn: 'Zur Anmeldung',
  },
  noScript: {
    title: 'Bitte JavaScript einschalten',
    text: 'Der Link in Ihrer Mail verwahrt sein Geheimnis dort, wo nur diese Seite es lesen kann; dafür braucht die Seite JavaScript. Schalten Sie es für diese Seite ein und öffnen Sie den Link noch einmal.',
  },
  setPassword: {
    title: 'Passwort wählen',
    wait: 'Ihr Link wird geprüft …',
    account: 'Ihr Konto',
    password: 'Neues Passwort',
    rule: 'Mindestens {shortest} Zeichen. Ein paar Wörter hintereinander genügen.',
    submit: 'Passwort speichern',
    busy: 'Passwort wird gespeichert …',
    doneTitle: 'Ihr Passwort ist gespeichert',
    done: 'Sie können sich jetzt damit anmelden. Diese Seite können Sie schließen.',
    expiredTitle: 'Dieser Link gilt nicht mehr',
    expired:
      'Er wurde schon benutzt oder ist zu alt. Wenn Sie Ihr Passwort gewählt haben, melden Sie sich damit an. Wenn nicht, bitten Sie die Person, die Sie eingeladen hat, um einen neuen Link.',
    missingTitle: 'Link noch einmal öffnen',
    missing:
      'Diese Seite öffnet sich nur über den Link in Ihrer Mail. Öffnen Sie ihn dort noch einmal; er gilt noch, wenn Sie ihn nicht benutzt haben.',
    troubleTitle: 'Ihr Link ist noch nicht geprüft',
  },
  federation: {
    title: 'Anmeldung',
    doneTitle: 'Sie sind fast angemeldet',
    done: 'Diese Seite schließt sich von selbst. Falls nicht, geht es hier weiter.',
    refusedTitle: 'Sie sind nicht angemeldet',
    refused: 'Der Anbieter hat Sie nicht hereingelassen, oder Sie haben dort abgelehnt. Es hat sich nichts geändert.',
    go: 'Weiter',
    staleTitle: 'Diese Anmeldung gilt nicht mehr',
    stale: 'Sie hat zu lange gedauert, wurde schon benutzt oder begann in einem anderen Browser. Fangen Sie noch einmal an.',
    startAgain: 'Noch einmal anfangen',
  },
}
