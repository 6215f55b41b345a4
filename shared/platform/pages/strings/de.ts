// German.
import type { PageStrings } from '../page-strings.ts'

export const pagesDe: PageStrings = {
  form: {
    messages: {
      heading: 'Bitte prüfen Sie Folgendes:',
      other: 'Etwas ist schiefgelaufen. Versuchen Sie es gleich noch einmal.',
      offline: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.',
      rate_limited: 'Zu viele Versuche. Versuchen Sie es in {wait} noch einmal.',
      empty: 'Geben Sie ein Passwort ein.',
      password_too_short: 'Verwenden Sie mindestens {shortest} Zeichen. Mehrere Wörter hintereinander sind leicht zu merken.',
      password_too_long: 'Verwenden Sie höchstens 128 Zeichen.',
      password_guessable: 'Dieses Passwort enthält Ihren Namen oder Ihre Adresse. Wählen Sie eines, das schwerer zu erraten ist.',
      password_breached: 'Dieses Passwort steht in Listen gestohlener Passwörter. Wählen Sie ein anderes.',
      invalid_request: 'Das Passwort enthält ein Zeichen, das nicht verwendet werden kann. Geben Sie es noch einmal ein.',
    },
    showPassword: 'Anzeigen',
    hidePassword: 'Verbergen',
    tryAgain: 'Noch einmal versuchen',
    signIn: 'Zur Anmeldung',
  },
  noScript: {
    title: 'Bitte aktivieren Sie JavaScript',
    text: 'Der Link in Ihrer E-Mail enthält ein Geheimnis, das nur diese Seite lesen kann; dafür braucht sie JavaScript. Aktivieren Sie JavaScript für diese Seite und öffnen Sie den Link noch einmal.',
  },
  setPassword: {
    title: 'Passwort festlegen',
    wait: 'Ihr Link wird geprüft …',
    account: 'Ihr Konto',
    password: 'Neues Passwort',
    rule: 'Mindestens {shortest} Zeichen. Mehrere Wörter hintereinander genügen.',
    submit: 'Passwort speichern',
    busy: 'Passwort wird gespeichert …',
    doneTitle: 'Ihr Passwort ist gespeichert',
    done: 'Sie können sich jetzt damit anmelden. Diese Seite können Sie schließen.',
    expiredTitle: 'Dieser Link ist nicht mehr gültig',
    expired:
      'Er wurde bereits verwendet oder ist abgelaufen. Wenn Sie Ihr Passwort schon festgelegt haben, melden Sie sich damit an. Wenn nicht, bitten Sie Ihre Administration um einen neuen Link.',
    missingTitle: 'Link noch einmal öffnen',
    missing:
      'Diese Seite funktioniert nur über den Link in Ihrer E-Mail. Öffnen Sie den Link noch einmal; er ist noch gültig, wenn Sie ihn nicht verwendet haben.',
    troubleTitle: 'Ihr Link konnte nicht geprüft werden',
  },
  federation: {
    title: 'Anmeldung',
    doneTitle: 'Sie sind fast angemeldet',
    done: 'Diese Seite schließt sich automatisch. Wenn nicht, geht es hier weiter.',
    refusedTitle: 'Sie sind nicht angemeldet',
    refused: 'Der Anbieter hat Sie nicht angemeldet, oder Sie haben dort abgebrochen. Es wurde nichts geändert.',
    go: 'Weiter',
    staleTitle: 'Diese Anmeldung ist abgelaufen',
    stale: 'Sie hat zu lange gedauert, wurde bereits verwendet oder in einem anderen Browser begonnen. Beginnen Sie von vorn.',
    startAgain: 'Von vorn beginnen',
  },
}
