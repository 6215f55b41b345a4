// German.
import { factList, type LetterPart, paragraph, safeDisplayName, smallPrint } from '../letter.ts'
import type { MailData, MailStrings, RequestOrigin } from '../mail-data.ts'

const moments = new Intl.DateTimeFormat('de-DE', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
const moment = (at: Date): string => `${moments.format(at)} Uhr UTC`
const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`
const minutes = (count: number): string => counted(count, 'Minute', 'Minuten')

const from = ({ at, device, address }: RequestOrigin): LetterPart =>
  factList(['Wann', moment(at)], ['Gerät', safeDisplayName(device)], ['Adresse', address])

const code = (value: string, lifetime: number): readonly LetterPart[] => [
  { kind: 'code', code: value },
  paragraph(
    `Der Code gilt einmal und ${minutes(lifetime)} lang. Geben Sie ihn nur auf der Seite ein, auf der Sie ihn angefordert haben; niemand fragt Sie am Telefon oder per E-Mail danach.`,
  ),
]
const notYou = 'Wenn Sie das nicht waren, tun Sie nichts: Ohne den Code geschieht nichts.'
const secure = 'Wenn Sie das nicht waren, setzen Sie jetzt Ihr Passwort zurück und sagen Sie Ihrer Administration Bescheid.'

const FACTOR = {
  webauthn: 'Ein Passkey',
  totp: 'Eine Authenticator-App',
  sms: 'Eine Telefonnummer',
  push: 'Ein Gerät, das Anmeldungen bestätigt',
  voice: 'Ein Sprachkonto',
} as const

/** Who removed it, before what that means. */
const REMOVED: Readonly<Record<MailData['factor_removed']['by'], string>> = {
  owner: '',
  administrator: 'Das hat eine Person aus der Administration getan. ',
  another: 'Jemand anderes hat sich darauf angemeldet und wird dort ab jetzt gefragt. ',
}

export const mailDe: MailStrings = {
  registration_code: ({ code: value, minutes: lifetime, domain, requestOrigin }, tenant) => ({
    subject: `Ihr Code zur Registrierung Ihres Unternehmens bei ${safeDisplayName(tenant)}`,
    title: 'E-Mail-Adresse bestätigen',
    parts: [
      paragraph('Geben Sie diesen Code ein, um die Registrierung Ihres Unternehmens abzuschließen.'),
      ...code(value, lifetime),
      factList(['Domain', safeDisplayName(domain)]),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  user_registration_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zur Registrierung bei ${safeDisplayName(tenant)}`,
    title: 'E-Mail-Adresse bestätigen',
    parts: [
      paragraph('Geben Sie diesen Code ein, um die Registrierung abzuschließen.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  password_reset_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code für ein neues Passwort bei ${safeDisplayName(tenant)}`,
    title: 'Passwort zurücksetzen',
    parts: [
      paragraph('Geben Sie diesen Code ein, um ein neues Passwort zu wählen.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(`${notYou} Ihr Passwort bleibt, wie es ist.`),
    ],
  }),
  password_changed: ({ requestOrigin }, tenant) => ({
    subject: `Ihr Passwort bei ${safeDisplayName(tenant)} wurde geändert`,
    title: 'Ihr Passwort wurde geändert',
    parts: [paragraph('Das Passwort Ihres Kontos wurde geändert; andere Anmeldungen wurden beendet.'), from(requestOrigin), smallPrint(secure)],
  }),
  email_change_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Bestätigen dieser Adresse bei ${safeDisplayName(tenant)}`,
    title: 'Neue Adresse bestätigen',
    parts: [
      paragraph('Geben Sie diesen Code ein, um diese Adresse für Ihr Konto zu verwenden.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  email_change_notice: ({ newEmail, agree, requestOrigin }, tenant) => ({
    subject: `Ihre E-Mail-Adresse bei ${safeDisplayName(tenant)} ${agree === undefined ? 'wurde geändert' : 'soll geändert werden'}`,
    title: `Ihre E-Mail-Adresse ${agree === undefined ? 'wurde geändert' : 'soll geändert werden'}`,
    parts: [
      paragraph(
        agree === undefined
          ? 'Ihr Konto hat jetzt eine andere E-Mail-Adresse. Andere Anmeldungen wurden beendet, und Mails zu diesem Konto gehen nur noch an die neue Adresse.'
          : 'Jemand, der in Ihrem Konto angemeldet ist, möchte dessen E-Mail-Adresse ändern.',
      ),
      factList(['Neue Adresse', newEmail]),
      ...(agree === undefined ? [] : [paragraph('Wenn Sie einverstanden sind, geben Sie diesen Code ein.'), ...code(agree.code, agree.minutes)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  already_registered: ({ signInUrl, requestOrigin }, tenant) => ({
    subject: `Sie haben bereits ein Konto bei ${safeDisplayName(tenant)}`,
    title: 'Sie haben bereits ein Konto',
    parts: [
      paragraph(
        'Jemand wollte sich mit dieser Adresse registrieren, zu der es ein Konto gibt. Melden Sie sich an oder setzen Sie dort Ihr Passwort zurück.',
      ),
      { kind: 'link', label: 'Anmelden', url: signInUrl },
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, tun Sie nichts: Ihr Konto bleibt, wie es ist.'),
    ],
  }),
  set_password_link: ({ link, hours, purpose, invitedBy }, tenant) => ({
    subject: purpose === 'invitation' ? `Einladung zu ${safeDisplayName(tenant)}` : `Wählen Sie Ihr Passwort bei ${safeDisplayName(tenant)}`,
    title: 'Passwort wählen',
    parts: [
      paragraph(
        {
          platform_administrator: 'Sie verwalten diese Installation als erste Person. Wählen Sie ein Passwort, um zu beginnen.',
          invitation: 'Sie sind eingeladen. Wählen Sie ein Passwort, um anzunehmen.',
          synced_account: 'Ihr Unternehmen hat ein Konto für Sie angelegt. Wählen Sie ein Passwort, um es zu nutzen.',
          administrator_reset: 'Ein Administrator hat Ihr altes Passwort entfernt. Wählen Sie ein neues.',
        }[purpose],
      ),
      ...(invitedBy === undefined ? [] : [factList(['Eingeladen von', safeDisplayName(invitedBy)])]),
      { kind: 'link', label: 'Passwort wählen', url: link },
      smallPrint(
        `Der Link gilt einmal und ${counted(hours, 'Stunde', 'Stunden')} lang. Geben Sie ihn nicht weiter: Wer ihn zuerst öffnet, hat das Konto.`,
      ),
    ],
  }),
  new_user_registered: ({ email, name, at }, tenant) => ({
    subject: `Ein neues Konto bei ${safeDisplayName(tenant)}`,
    title: 'Jemand hat sich registriert',
    parts: [
      paragraph('Ein neues Konto wurde angelegt. Sie erhalten diese Nachricht, weil Sie zur Administration gehören.'),
      factList(['E-Mail', email], ...(name === undefined ? [] : [['Name', safeDisplayName(name)] as const]), ['Wann', moment(at)]),
    ],
  }),
  account_locked: ({ until, requestOrigin }, tenant) => ({
    subject: `Ihr Konto bei ${safeDisplayName(tenant)} ist vorübergehend gesperrt`,
    title: 'Ihr Konto ist vorübergehend gesperrt',
    parts: [
      paragraph(
        `Das Passwort war zu oft falsch. Ab ${moment(until)} können Sie sich wieder anmelden; ein Gerät, das Sie schon benutzt haben, ist nicht betroffen.`,
      ),
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, rät jemand. Wählen Sie ein Passwort, das Sie nirgends sonst verwenden.'),
    ],
  }),
  new_device_sign_in: ({ requestOrigin }, tenant) => ({
    subject: `Neue Anmeldung in Ihrem Konto bei ${safeDisplayName(tenant)}`,
    title: 'Anmeldung auf einem neuen Gerät',
    parts: [paragraph('Ihr Konto wurde auf einem Gerät benutzt, auf dem es vorher nicht benutzt wurde.'), from(requestOrigin), smallPrint(secure)],
  }),
  webhook_disabled: ({ host, description, reason, since }, tenant) => ({
    subject: `Ein Webhook von ${safeDisplayName(tenant)} wurde abgeschaltet`,
    title: 'Ein Webhook wurde abgeschaltet',
    parts: [
      paragraph(
        {
          gone: 'Der Empfänger hat geantwortet, dass er keine Nachrichten mehr haben will.',
          failing: 'Der Empfänger hat drei Tage lang keine Nachricht angenommen.',
        }[reason],
      ),
      factList(['Empfänger', safeDisplayName(host)], ...(description === '' ? [] : [['Beschreibung', safeDisplayName(description)] as const]), [
        'Seit',
        moment(since),
      ]),
      smallPrint('Verloren ist nichts: Schalten Sie den Webhook wieder ein, macht er weiter, wo er stehen blieb, soweit Ihr Protokoll zurückreicht.'),
    ],
  }),
  domain_proof: ({ stage, domain, name, value, until }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: ${stage === 'missing' ? 'Der Nachweis einer Domain fehlt' : 'Eine Domain gilt nicht mehr'}`,
    title: 'Eine Domain ohne Nachweis',
    parts: [
      paragraph(
        stage === 'missing'
          ? 'Das DNS zeigt nicht mehr, dass diese Domain Ihnen gehört. Setzen Sie den Eintrag bis dahin wieder, sonst gilt die Domain nicht mehr.'
          : 'Zwei Wochen lang hat das DNS nicht gezeigt, dass diese Domain Ihnen gehört. Setzen Sie den Eintrag wieder und bestätigen Sie die Domain neu.',
      ),
      factList(['Domain', safeDisplayName(domain)], ['TXT', name], ['Wert', value], [stage === 'missing' ? 'Bis' : 'Seit', moment(until)]),
    ],
  }),
  tenant_deletion: ({ stage, on, restoreToken, restoreUrl }, tenant) => ({
    subject: `${safeDisplayName(tenant)} ${stage === 'asked' ? 'ist geschlossen und wird gelöscht' : 'wird morgen gelöscht'}`,
    title: stage === 'asked' ? 'Ihre Organisation ist geschlossen und wird gelöscht' : 'Ihre Organisation wird morgen gelöscht',
    parts: [
      paragraph('Niemand kann sich mehr anmelden. An diesem Tag wird alles endgültig gelöscht: Personen, Clients, Schlüssel, das Protokoll.'),
      factList(['Gelöscht am', moment(on)]),
      paragraph(
        `Bis dahin bringt dieses Token sie einmal zurück. Senden Sie es als restore_token an ${restoreUrl}, oder fragen Sie, wer diesen Dienst betreibt.`,
      ),
      { kind: 'code', code: restoreToken },
      smallPrint('Behalten Sie das Token für sich. Ist die Löschung gewollt, brauchen Sie nichts zu tun.'),
    ],
  }),
  tenant_deleted: ({ at }) => ({
    subject: 'Eine Organisation, die Sie verwaltet haben, wurde gelöscht',
    title: 'Die Löschung ist abgeschlossen',
    parts: [
      paragraph(
        'Eine Organisation, die Sie hier verwaltet haben, wurde wie angekündigt endgültig gelöscht. Nichts davon kann noch gelesen oder zurückgeholt werden.',
      ),
      factList(['Wann', moment(at)]),
    ],
  }),
  mailbox_proof_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Schutz Ihres Kontos bei ${safeDisplayName(tenant)}`,
    title: 'Bestätigen Sie Ihr Postfach',
    parts: [
      paragraph('Geben Sie diesen Code ein, um Ihrem Konto den ersten zweiten Faktor hinzuzufügen.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Setzen Sie es jetzt zurück.'),
    ],
  }),
  factor_added: ({ kind, name, requestOrigin }, tenant) => ({
    subject: `${FACTOR[kind]} wurde Ihrem Konto bei ${safeDisplayName(tenant)} hinzugefügt`,
    title: `${FACTOR[kind]} wurde hinzugefügt`,
    parts: [
      paragraph('Damit kann man sich ab jetzt in Ihrem Konto anmelden.'),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factors_taken_over: ({ factors, backupCodesLost, at }, tenant) => ({
    subject: `Ihre zweiten Faktoren bei ${safeDisplayName(tenant)} sind mitgekommen`,
    title: 'Ihr Konto ist umgezogen, und mit ihm, wie Sie sich anmelden',
    parts: [
      paragraph('Damit können Sie sich hier anmelden wie vorher:'),
      ...factors.map(({ kind, name }) => factList([FACTOR[kind], name === '' ? '–' : safeDisplayName(name)])),
      factList(['Wann', moment(at)]),
      ...(backupCodesLost ? [paragraph('Ihre Ersatzcodes von vorher gelten hier nicht. Melden Sie sich an und erzeugen Sie neue.')] : []),
      smallPrint(
        'Wenn eines davon nicht Ihres ist, entfernen Sie es nach der Anmeldung, setzen Sie Ihr Passwort zurück und sagen Sie es Ihrer Administration.',
      ),
    ],
  }),
  passkey_copied: ({ for: reader, email, name, reviewUrl, requestOrigin }, tenant) => ({
    subject:
      reader === 'owner'
        ? `Ein Passkey Ihres Kontos bei ${safeDisplayName(tenant)} wurde vielleicht kopiert`
        : `Ein Passkey bei ${safeDisplayName(tenant)} wurde vielleicht kopiert`,
    title: 'Ein Passkey wurde vielleicht kopiert',
    parts: [
      paragraph(
        reader === 'owner'
          ? 'Ihr Passkey wurde mit einem Zähler benutzt, der zurückgegangen war. Das geschieht, wenn es ihn zweimal gibt. Er wird nicht mehr angenommen: Melden Sie sich auf andere Weise an und sehen Sie ihn an. Können Sie es nicht erklären, entfernen Sie ihn und richten Sie einen neuen ein.'
          : 'Ein Passkey wurde mit einem Zähler benutzt, der zurückgegangen war. Das geschieht, wenn es ihn zweimal gibt. Er wird nicht mehr angenommen. Sprechen Sie mit der Person, der er gehört; ist es erklärt, hebt sie den Alarm mit einem anderen Faktor auf, oder Sie tun es, mit POST /people/{user_id}/factors/{factor_id}/clear-alarm.',
      ),
      factList(['Konto', email], ...(name === '' ? [] : [['Name', safeDisplayName(name)] as const])),
      ...(reader === 'owner' ? [{ kind: 'link', label: 'Ansehen', url: reviewUrl } as const] : []),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'Wenn Sie das nicht waren, beenden Sie jetzt Ihre anderen Anmeldungen und sagen Sie Ihrer Administration Bescheid.'
          : 'Von wo er benutzt wurde, steht im Protokoll.',
      ),
    ],
  }),
  passkey_alarm_cleared: ({ name, by, requestOrigin }, tenant) => ({
    subject: `Ein Passkey Ihres Kontos bei ${safeDisplayName(tenant)} wird wieder angenommen`,
    title: 'Ein Passkey wird wieder angenommen',
    parts: [
      paragraph(
        by === 'owner'
          ? 'Er wurde abgelehnt, weil es ihn vielleicht zweimal gab. Sie haben gesagt, dass es nicht so ist.'
          : 'Er wurde abgelehnt, weil es ihn vielleicht zweimal gab. Jemand aus der Administration hat ihn angesehen und wieder zugelassen.',
      ),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_removed: ({ kind, name, left, by, requestOrigin }, tenant) => ({
    subject: `${FACTOR[kind]} wurde aus Ihrem Konto bei ${safeDisplayName(tenant)} entfernt`,
    title: `${FACTOR[kind]} wurde entfernt`,
    parts: [
      paragraph(`${REMOVED[by]}Damit kann man sich nicht mehr anmelden.`),
      ...(left === 0 ? [paragraph('Es bleibt kein zweiter Faktor: Ihr Konto schützt nur noch das Passwort.')] : []),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_paused: ({ kind, until, requestOrigin }, tenant) => ({
    subject: `Falsche Codes für Ihr Konto bei ${safeDisplayName(tenant)}`,
    title: 'Jemand gibt falsche Codes ein',
    parts: [
      paragraph(`${FACTOR[kind]} wurde zu oft mit falschen Codes versucht und ist ab ${moment(until)} wieder nutzbar.`),
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, kennt vielleicht jemand Ihr Passwort. Setzen Sie es jetzt zurück.'),
    ],
  }),
  backup_code_used: ({ left, requestOrigin }, tenant) => ({
    subject: `Ein Ersatzcode Ihres Kontos bei ${safeDisplayName(tenant)} wurde benutzt`,
    title: 'Ein Ersatzcode wurde benutzt',
    parts: [
      paragraph(`${counted(left, 'Code ist', 'Codes sind')} übrig. Jeder gilt einmal; neue machen Sie in Ihrem Konto.`),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  backup_codes_replaced: ({ requestOrigin }, tenant) => ({
    subject: `Ihre Ersatzcodes bei ${safeDisplayName(tenant)} wurden ersetzt`,
    title: 'Ihre Ersatzcodes wurden ersetzt',
    parts: [paragraph('Die Codes, die Sie vorher hatten, gelten nicht mehr.'), from(requestOrigin), smallPrint(secure)],
  }),
  recovery_pass_issued: ({ for: reader, email, issuedBy, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ein Weg zurück ins Konto wurde ausgestellt (${safeDisplayName(tenant)})`,
    title: 'Ein Einmalpass wurde ausgestellt',
    parts: [
      paragraph(
        reader === 'owner'
          ? `Die Administration hat einen Pass ausgestellt, mit dem Ihr Konto innerhalb von ${minutes(lifetime)} einmal ohne zweiten Faktor betreten werden kann.`
          : `Ein Pass wurde ausgestellt, mit dem ein Konto innerhalb von ${minutes(lifetime)} einmal ohne zweiten Faktor betreten werden kann.`,
      ),
      factList(['Konto', email], ['Ausgestellt von', issuedBy]),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'Wenn Sie nicht darum gebeten haben, sagen Sie sofort Ihrer Administration Bescheid.'
          : 'Wenn Sie nichts davon wissen, sehen Sie jetzt in das Protokoll.',
      ),
    ],
  }),
  recovery_started: ({ readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `Jemand möchte zurück in Ihr Konto bei ${safeDisplayName(tenant)}`,
    title: 'Eine Wiederherstellung Ihres Kontos hat begonnen',
    parts: [
      paragraph(
        `Ihre Passkeys und anderen Faktoren sollen verloren sein. Ab ${moment(readyAt)} kann das Konto allein per Mail betreten werden, wenn Sie es nicht verhindern.`,
      ),
      { kind: 'link', label: 'Verhindern', url: cancelUrl },
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, verhindern Sie es mit dem Link oben. Auch eine Anmeldung verhindert es.'),
    ],
  }),
  recovery_waiting: ({ stage, readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `Jemand ${stage === 'waiting' ? 'möchte noch immer' : 'kann jetzt'} in Ihr Konto bei ${safeDisplayName(tenant)}`,
    title: stage === 'waiting' ? 'Eine Wiederherstellung Ihres Kontos läuft' : 'Die Wartezeit ist um',
    parts: [
      paragraph(
        stage === 'waiting'
          ? `Ab ${moment(readyAt)} kommt man ohne Passkeys und andere Faktoren in Ihr Konto, wenn Sie es nicht verhindern.`
          : 'Wer die Wiederherstellung begonnen hat und Ihre Post liest, kommt jetzt ohne Passkeys und andere Faktoren in Ihr Konto. Wenn Sie das sind, machen Sie dort weiter, wo Sie sie begonnen haben.',
      ),
      { kind: 'link', label: 'Verhindern', url: cancelUrl },
      from(requestOrigin),
      smallPrint(
        'Wenn Sie sich seither angemeldet haben, ist sie schon vorbei. Wenn Sie das nicht waren, verhindern Sie sie mit dem Link und ändern Sie Ihr Passwort.',
      ),
    ],
  }),
  recovery_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zurück in Ihr Konto bei ${safeDisplayName(tenant)}`,
    title: 'Wiederherstellung abschließen',
    parts: [
      paragraph('Die Wartezeit ist vorbei. Mit diesem Code werden die Faktoren Ihres Kontos entfernt, und Sie können sich anmelden.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  recovered: ({ by, requestOrigin }, tenant) => ({
    subject: `Ihr Konto bei ${safeDisplayName(tenant)} wurde wiederhergestellt`,
    title: 'Ihr Konto wurde wiederhergestellt',
    parts: [
      paragraph(
        by === 'pass'
          ? 'Es wurde mit einem Pass der Administration betreten. Die bisherigen Faktoren wurden entfernt.'
          : 'Es wurde nach der Wartezeit betreten. Die bisherigen Faktoren wurden entfernt.',
      ),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  settings_weakened: ({ by, changes, requestOrigin }, tenant) => ({
    subject: `${safeDisplayName(tenant)} ist weniger geschützt als zuvor`,
    title: 'Einstellungen wurden gelockert',
    parts: [
      paragraph('Jemand aus der Administration hat geändert, was Ihre Organisation schützt.'),
      factList(
        ...changes.map(
          ({ setting, before, after }) => [safeDisplayName(setting), `${safeDisplayName(before)} \u2192 ${safeDisplayName(after)}`] as const,
        ),
        ['Geändert von', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('Wenn Sie davon nichts wissen, sehen Sie jetzt im Protokoll nach und stellen Sie es zurück.'),
    ],
  }),
  session_revoked_all: ({ by, requestOrigin }, tenant) => ({
    subject: `Sie wurden bei ${safeDisplayName(tenant)} überall abgemeldet`,
    title: 'Sie wurden überall abgemeldet',
    parts: [
      paragraph(
        {
          owner: 'Sie haben alle anderen Anmeldungen Ihres Kontos beendet; die, von der aus Sie es taten, bleibt.',
          administrator: 'Eine Person aus der Administration hat alle Anmeldungen Ihres Kontos beendet.',
          system: 'Alle Anmeldungen Ihres Kontos wurden zu seinem Schutz beendet.',
        }[by],
      ),
      from(requestOrigin),
      smallPrint(
        'Melden Sie sich wieder an, um weiterzumachen. Kam das unerwartet, setzen Sie Ihr Passwort zurück und sagen Sie Ihrer Administration Bescheid.',
      ),
    ],
  }),
  provider_sign_in: ({ change, provider, requestOrigin }, tenant) => ({
    subject: {
      linked: `${safeDisplayName(provider)} wurde mit Ihrem Konto bei ${safeDisplayName(tenant)} verbunden`,
      unlinked: `${safeDisplayName(provider)} wurde von Ihrem Konto bei ${safeDisplayName(tenant)} getrennt`,
      used_first: `Ihr Konto bei ${safeDisplayName(tenant)} wurde über ${safeDisplayName(provider)} benutzt`,
    }[change],
    title: { linked: 'Eine Anmeldung wurde verbunden', unlinked: 'Eine Anmeldung wurde getrennt', used_first: 'Erste Anmeldung über einen Anbieter' }[
      change
    ],
    parts: [
      paragraph(
        {
          linked: 'Wer sich dort anmeldet, kann sich von nun an bei Ihrem Konto anmelden.',
          unlinked: 'Sie öffnet Ihr Konto nicht mehr. Andere Anmeldungen Ihres Kontos wurden beendet.',
          used_first: 'Jemand hat sich zum ersten Mal über diesen Anbieter bei Ihrem Konto angemeldet.',
        }[change],
      ),
      factList(['Anbieter', safeDisplayName(provider)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  provider_link_code: ({ code: value, minutes: lifetime, provider, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Verbinden von ${safeDisplayName(provider)} bei ${safeDisplayName(tenant)}`,
    title: 'Eine Anmeldung verbinden',
    parts: [
      paragraph(
        `Geben Sie diesen Code ein, um ${safeDisplayName(provider)} mit Ihrem Konto zu verbinden. Wer sich dort anmeldet, kann sich dann hier anmelden.`,
      ),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
}
