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
    `Der Code gilt einmal und ${minutes(lifetime)} lang. Geben Sie ihn nur auf der Seite ein, auf der Sie ihn angefordert haben; wir fragen nie per Telefon oder E-Mail danach.`,
  ),
]
const notYou = 'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ohne den Code geschieht nichts.'
const secure = 'Wenn Sie das nicht waren, setzen Sie jetzt Ihr Passwort zurück und informieren Sie Ihre Administration.'

const FACTOR = {
  webauthn: 'Ein Passkey',
  totp: 'Eine Authenticator-App',
  sms: 'Eine Telefonnummer',
  push: 'Ein Gerät, das Anmeldungen bestätigt',
  voice: 'Ein Sprachkonto',
} as const

/** The sentence that says who removed a factor. */
const REMOVED: Readonly<Record<MailData['factor_removed']['by'], string>> = {
  owner: '',
  administrator: 'Die Administration hat diese Methode entfernt. ',
  another: 'Eine andere Person hat sich auf dem Gerät angemeldet; es bestätigt jetzt deren Anmeldungen. ',
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
      paragraph('Geben Sie diesen Code ein, um ein neues Passwort festzulegen.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(`${notYou} Ihr Passwort bleibt unverändert.`),
    ],
  }),
  password_changed: ({ requestOrigin }, tenant) => ({
    subject: `Ihr Passwort bei ${safeDisplayName(tenant)} wurde geändert`,
    title: 'Ihr Passwort wurde geändert',
    parts: [paragraph('Das Passwort Ihres Kontos wurde geändert; alle anderen Sitzungen wurden beendet.'), from(requestOrigin), smallPrint(secure)],
  }),
  email_change_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Bestätigen dieser Adresse bei ${safeDisplayName(tenant)}`,
    title: 'Neue E-Mail-Adresse bestätigen',
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
          ? 'Die E-Mail-Adresse Ihres Kontos wurde geändert. Alle anderen Sitzungen wurden beendet, und E-Mails zu diesem Konto gehen nur noch an die neue Adresse.'
          : 'Aus einer Sitzung Ihres Kontos wurde angefordert, dessen E-Mail-Adresse zu ändern.',
      ),
      factList(['Neue Adresse', newEmail]),
      ...(agree === undefined ? [] : [paragraph('Um der Änderung zuzustimmen, geben Sie diesen Code ein.'), ...code(agree.code, agree.minutes)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  already_registered: ({ signInUrl, requestOrigin }, tenant) => ({
    subject: `Sie haben bereits ein Konto bei ${safeDisplayName(tenant)}`,
    title: 'Sie haben bereits ein Konto',
    parts: [
      paragraph(
        'Mit dieser Adresse wurde eine Registrierung begonnen, aber Sie haben bereits ein Konto. Melden Sie sich an oder setzen Sie dort Ihr Passwort zurück.',
      ),
      { kind: 'link', label: 'Anmelden', url: signInUrl },
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Ihr Konto bleibt unverändert.'),
    ],
  }),
  set_password_link: ({ link, hours, purpose, invitedBy }, tenant) => ({
    subject: purpose === 'invitation' ? `Einladung zu ${safeDisplayName(tenant)}` : `Legen Sie Ihr Passwort fest bei ${safeDisplayName(tenant)}`,
    title: 'Passwort festlegen',
    parts: [
      paragraph(
        {
          platform_administrator: 'Sie sind die erste Person in der Administration dieser Installation. Legen Sie ein Passwort fest, um zu beginnen.',
          invitation: 'Sie wurden eingeladen. Legen Sie ein Passwort fest, um die Einladung anzunehmen.',
          synced_account: 'Ihr Unternehmen hat ein Konto für Sie erstellt. Legen Sie ein Passwort fest, um es zu nutzen.',
          administrator_reset: 'Die Administration hat Ihr Passwort zurückgesetzt. Legen Sie ein neues fest.',
        }[purpose],
      ),
      ...(invitedBy === undefined ? [] : [factList(['Eingeladen von', safeDisplayName(invitedBy)])]),
      { kind: 'link', label: 'Passwort festlegen', url: link },
      smallPrint(
        `Der Link gilt einmal und ${counted(hours, 'Stunde', 'Stunden')} lang. Geben Sie ihn nicht weiter: Wer ihn öffnet, kann das Konto übernehmen.`,
      ),
    ],
  }),
  new_user_registered: ({ email, name, at }, tenant) => ({
    subject: `Ein neues Konto bei ${safeDisplayName(tenant)}`,
    title: 'Neues Konto',
    parts: [
      paragraph('Ein neues Konto wurde erstellt. Sie erhalten diese E-Mail, weil Sie zur Administration gehören.'),
      factList(['E-Mail', email], ...(name === undefined ? [] : [['Name', safeDisplayName(name)] as const]), ['Wann', moment(at)]),
    ],
  }),
  account_locked: ({ until, requestOrigin }, tenant) => ({
    subject: `Ihr Konto bei ${safeDisplayName(tenant)} ist vorübergehend gesperrt`,
    title: 'Ihr Konto ist vorübergehend gesperrt',
    parts: [
      paragraph(
        `Es gab zu viele Anmeldeversuche mit falschem Passwort. Ab ${moment(until)} können Sie sich wieder anmelden; Geräte, die Sie schon verwendet haben, sind nicht betroffen.`,
      ),
      from(requestOrigin),
      smallPrint(
        'Wenn Sie das nicht waren, wird Ihr Passwort möglicherweise angegriffen. Verwenden Sie ein Passwort, das Sie nirgends sonst benutzen.',
      ),
    ],
  }),
  new_device_sign_in: ({ requestOrigin }, tenant) => ({
    subject: `Neue Anmeldung bei Ihrem Konto bei ${safeDisplayName(tenant)}`,
    title: 'Neue Anmeldung bei Ihrem Konto',
    parts: [paragraph('Bei Ihrem Konto gab es eine Anmeldung auf einem neuen Gerät.'), from(requestOrigin), smallPrint(secure)],
  }),
  webhook_disabled: ({ host, description, reason, since }, tenant) => ({
    subject: `Ein Webhook von ${safeDisplayName(tenant)} wurde deaktiviert`,
    title: 'Ein Webhook wurde deaktiviert',
    parts: [
      paragraph(
        {
          gone: 'Der Empfänger hat geantwortet, dass er keine Nachrichten mehr erhalten möchte.',
          failing: 'Der Empfänger hat drei Tage lang keine Nachricht angenommen.',
        }[reason],
      ),
      factList(['Empfänger', safeDisplayName(host)], ...(description === '' ? [] : [['Beschreibung', safeDisplayName(description)] as const]), [
        'Seit',
        moment(since),
      ]),
      smallPrint(
        'Es gehen keine Ereignisse verloren: Wenn Sie den Webhook wieder aktivieren, wird die Zustellung dort fortgesetzt, wo sie unterbrochen wurde, soweit Ihr Audit-Protokoll zurückreicht.',
      ),
    ],
  }),
  domain_proof: ({ stage, domain, name, value, until }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: ${stage === 'missing' ? 'Der DNS-Eintrag einer Domain fehlt' : 'Eine Domain ist nicht mehr bestätigt'}`,
    title: 'Der DNS-Eintrag einer Domain fehlt',
    parts: [
      paragraph(
        stage === 'missing'
          ? 'Der DNS-Eintrag, der diese Domain bestätigt, wurde nicht gefunden. Stellen Sie ihn bis zum unten genannten Zeitpunkt wieder her, sonst ist die Domain nicht mehr bestätigt.'
          : 'Der DNS-Eintrag, der diese Domain bestätigt, fehlt seit zwei Wochen. Stellen Sie ihn wieder her und bestätigen Sie die Domain neu.',
      ),
      factList(['Domain', safeDisplayName(domain)], ['TXT-Eintrag', name], ['Wert', value], [stage === 'missing' ? 'Bis' : 'Seit', moment(until)]),
    ],
  }),
  resources_released: ({ domain, resources, at }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: Ressourcenserver wurden deaktiviert`,
    title: 'Ressourcenserver wurden deaktiviert',
    parts: [
      paragraph(
        'Eine andere Organisation hat nachgewiesen, dass ihr die unten genannte Domain gehört. Die Ressourcenserver Ihrer Organisation in dieser Domain wurden deaktiviert, und für sie werden keine Tokens mehr ausgestellt.',
      ),
      factList(
        ['Domain', safeDisplayName(domain)],
        ['Deaktiviert', moment(at)],
        ...resources.map((resource) => ['Ressourcenserver', resource] as const),
      ),
      smallPrint('Gehört die Domain Ihnen, bestätigen Sie sie in Ihrer Organisation; danach können die Ressourcenserver wieder aktiviert werden.'),
    ],
  }),
  tenant_deletion: ({ stage, on, restoreToken, restoreUrl }, tenant) => ({
    subject: `${safeDisplayName(tenant)} ${stage === 'asked' ? 'ist geschlossen und wird gelöscht' : 'wird morgen gelöscht'}`,
    title: stage === 'asked' ? 'Ihre Organisation ist geschlossen und wird gelöscht' : 'Ihre Organisation wird morgen gelöscht',
    parts: [
      paragraph(
        'Anmeldungen sind nicht mehr möglich. Zum unten genannten Zeitpunkt werden alle Daten endgültig gelöscht: Personen, Clients, Schlüssel und das Audit-Protokoll.',
      ),
      factList(['Löschung am', moment(on)]),
      paragraph(
        `Bis dahin können Sie die Organisation mit diesem Token einmal wiederherstellen. Senden Sie es als restore_token an ${restoreUrl} oder wenden Sie sich an den Betreiber dieses Dienstes.`,
      ),
      { kind: 'code', code: restoreToken },
      smallPrint('Halten Sie das Token geheim. Wenn die Löschung beabsichtigt ist, müssen Sie nichts tun.'),
    ],
  }),
  tenant_deleted: ({ at }) => ({
    subject: 'Eine Organisation, die Sie verwaltet haben, wurde gelöscht',
    title: 'Die Löschung ist abgeschlossen',
    parts: [
      paragraph(
        'Eine Organisation, die Sie verwaltet haben, wurde wie angekündigt endgültig gelöscht. Ihre Daten können nicht mehr gelesen oder wiederhergestellt werden.',
      ),
      factList(['Wann', moment(at)]),
    ],
  }),
  mailbox_proof_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Schutz Ihres Kontos bei ${safeDisplayName(tenant)}`,
    title: 'E-Mail-Adresse bestätigen',
    parts: [
      paragraph('Geben Sie diesen Code ein, um Ihrem Konto einen zweiten Faktor hinzuzufügen.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, kennt eine andere Person Ihr Passwort. Setzen Sie es jetzt zurück.'),
    ],
  }),
  factor_added: ({ kind, name, requestOrigin }, tenant) => ({
    subject: `${FACTOR[kind]} wurde Ihrem Konto bei ${safeDisplayName(tenant)} hinzugefügt`,
    title: `${FACTOR[kind]} wurde hinzugefügt`,
    parts: [
      paragraph('Damit ist ab jetzt eine Anmeldung bei Ihrem Konto möglich.'),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factors_taken_over: ({ factors, backupCodesLost, at }, tenant) => ({
    subject: `Ihre zweiten Faktoren wurden zu ${safeDisplayName(tenant)} übertragen`,
    title: 'Ihr Konto und Ihre zweiten Faktoren wurden übertragen',
    parts: [
      paragraph('Sie können sich mit denselben zweiten Faktoren anmelden wie bisher:'),
      ...factors.map(({ kind, name }) => factList([FACTOR[kind], name === '' ? '–' : safeDisplayName(name)])),
      factList(['Wann', moment(at)]),
      ...(backupCodesLost ? [paragraph('Ihre bisherigen Backup-Codes sind hier nicht gültig. Melden Sie sich an und erstellen Sie neue.')] : []),
      smallPrint(
        'Wenn einer davon nicht Ihrer ist, melden Sie sich an, entfernen Sie ihn, setzen Sie Ihr Passwort zurück und informieren Sie Ihre Administration.',
      ),
    ],
  }),
  passkey_copied: ({ for: reader, email, name, reviewUrl, requestOrigin }, tenant) => ({
    subject:
      reader === 'owner'
        ? `Ein Passkey Ihres Kontos bei ${safeDisplayName(tenant)} wurde möglicherweise kopiert`
        : `Ein Passkey bei ${safeDisplayName(tenant)} wurde möglicherweise kopiert`,
    title: 'Ein Passkey wurde möglicherweise kopiert',
    parts: [
      paragraph(
        reader === 'owner'
          ? 'Der Signaturzähler Ihres Passkeys ist zurückgesprungen; das kann bedeuten, dass eine Kopie existiert. Der Passkey ist gesperrt: Melden Sie sich mit einer anderen Methode an und prüfen Sie ihn. Wenn Sie sich das nicht erklären können, entfernen Sie ihn und fügen Sie einen neuen hinzu.'
          : 'Der Signaturzähler eines Passkeys ist zurückgesprungen; das kann bedeuten, dass eine Kopie existiert. Der Passkey ist gesperrt. Sprechen Sie mit der Person, der er gehört; sobald die Ursache geklärt ist, entsperrt sie ihn mit einem anderen Faktor, oder Sie tun es mit POST /people/{user_id}/factors/{factor_id}/clear-alarm.',
      ),
      factList(['Konto', email], ...(name === '' ? [] : [['Name', safeDisplayName(name)] as const])),
      ...(reader === 'owner' ? [{ kind: 'link', label: 'Passkey prüfen', url: reviewUrl } as const] : []),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'Wenn Sie das nicht waren, beenden Sie jetzt Ihre anderen Sitzungen und informieren Sie Ihre Administration.'
          : 'Das Audit-Protokoll zeigt, von wo er verwendet wurde.',
      ),
    ],
  }),
  passkey_alarm_cleared: ({ name, by, requestOrigin }, tenant) => ({
    subject: `Ein Passkey Ihres Kontos bei ${safeDisplayName(tenant)} kann wieder verwendet werden`,
    title: 'Ein Passkey kann wieder verwendet werden',
    parts: [
      paragraph(
        by === 'owner'
          ? 'Er war gesperrt, weil er möglicherweise kopiert wurde. Sie haben bestätigt, dass es keine Kopie gibt.'
          : 'Er war gesperrt, weil er möglicherweise kopiert wurde. Die Administration hat ihn geprüft und entsperrt.',
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
      paragraph(`${REMOVED[by]}Damit ist keine Anmeldung mehr möglich.`),
      ...(left === 0 ? [paragraph('Sie haben keinen zweiten Faktor mehr: Ihr Konto ist nur noch durch das Passwort geschützt.')] : []),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_paused: ({ kind, until, requestOrigin }, tenant) => ({
    subject: `Falsche Codes für Ihr Konto bei ${safeDisplayName(tenant)}`,
    title: 'Zu viele falsche Codes',
    parts: [
      paragraph(`${FACTOR[kind]} Ihres Kontos ist wegen zu vieler falscher Codes pausiert und ab ${moment(until)} wieder verwendbar.`),
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, kennt möglicherweise eine andere Person Ihr Passwort. Setzen Sie es jetzt zurück.'),
    ],
  }),
  backup_code_used: ({ left, requestOrigin }, tenant) => ({
    subject: `Ein Backup-Code Ihres Kontos bei ${safeDisplayName(tenant)} wurde verwendet`,
    title: 'Ein Backup-Code wurde verwendet',
    parts: [
      paragraph(`${counted(left, 'Code ist', 'Codes sind')} übrig. Jeder Code gilt einmal; neue erstellen Sie in Ihrem Konto.`),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  backup_codes_replaced: ({ requestOrigin }, tenant) => ({
    subject: `Ihre Backup-Codes bei ${safeDisplayName(tenant)} wurden ersetzt`,
    title: 'Ihre Backup-Codes wurden ersetzt',
    parts: [paragraph('Ihre bisherigen Codes sind nicht mehr gültig.'), from(requestOrigin), smallPrint(secure)],
  }),
  recovery_pass_issued: ({ for: reader, email, issuedBy, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ein Einmalpass wurde bei ${safeDisplayName(tenant)} ausgestellt`,
    title: 'Ein Einmalpass wurde ausgestellt',
    parts: [
      paragraph(
        reader === 'owner'
          ? `Die Administration hat einen Einmalpass für Ihr Konto ausgestellt. Er erlaubt innerhalb von ${minutes(lifetime)} einmal den Zugriff ohne zweiten Faktor.`
          : `Für ein Konto wurde ein Einmalpass ausgestellt. Er erlaubt innerhalb von ${minutes(lifetime)} einmal den Zugriff ohne zweiten Faktor.`,
      ),
      factList(['Konto', email], ['Ausgestellt von', issuedBy]),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'Wenn Sie ihn nicht angefordert haben, informieren Sie sofort Ihre Administration.'
          : 'Wenn Sie nichts davon wissen, prüfen Sie jetzt das Audit-Protokoll.',
      ),
    ],
  }),
  recovery_started: ({ readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `Eine Wiederherstellung Ihres Kontos bei ${safeDisplayName(tenant)} wurde angefordert`,
    title: 'Eine Wiederherstellung Ihres Kontos wurde angefordert',
    parts: [
      paragraph(
        `Der Anfrage zufolge sind Ihre Passkeys und anderen Faktoren verloren. Ab ${moment(readyAt)} kann das Konto allein per E-Mail wiederhergestellt werden, wenn Sie die Wiederherstellung nicht abbrechen.`,
      ),
      { kind: 'link', label: 'Wiederherstellung abbrechen', url: cancelUrl },
      from(requestOrigin),
      smallPrint('Wenn Sie das nicht waren, brechen Sie sie mit dem Link oben ab. Auch eine Anmeldung bricht sie ab.'),
    ],
  }),
  recovery_waiting: ({ stage, readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `Ihr Konto bei ${safeDisplayName(tenant)} ${stage === 'waiting' ? 'soll wiederhergestellt werden' : 'kann jetzt wiederhergestellt werden'}`,
    title: stage === 'waiting' ? 'Eine Wiederherstellung Ihres Kontos läuft' : 'Die Wartezeit ist abgelaufen',
    parts: [
      paragraph(
        stage === 'waiting'
          ? `Ab ${moment(readyAt)} kann Ihr Konto ohne seine Passkeys und anderen Faktoren wiederhergestellt werden, wenn Sie die Wiederherstellung nicht abbrechen.`
          : 'Wer die Wiederherstellung begonnen hat und Ihre E-Mails lesen kann, kann Ihr Konto jetzt ohne dessen Passkeys und andere Faktoren wiederherstellen. Wenn Sie das sind, fahren Sie dort fort, wo Sie begonnen haben.',
      ),
      { kind: 'link', label: 'Wiederherstellung abbrechen', url: cancelUrl },
      from(requestOrigin),
      smallPrint(
        'Wenn Sie sich seitdem angemeldet haben, ist sie bereits abgebrochen. Wenn Sie das nicht waren, brechen Sie sie mit dem Link oben ab und ändern Sie Ihr Passwort.',
      ),
    ],
  }),
  recovery_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Ihr Code zur Wiederherstellung Ihres Kontos bei ${safeDisplayName(tenant)}`,
    title: 'Wiederherstellung abschließen',
    parts: [
      paragraph('Die Wartezeit ist abgelaufen. Mit diesem Code werden die Faktoren Ihres Kontos entfernt, und Sie können sich wieder anmelden.'),
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
          ? 'Es wurde mit einem Einmalpass der Administration wiederhergestellt. Die bisherigen Faktoren wurden entfernt.'
          : 'Es wurde nach der Wartezeit wiederhergestellt. Die bisherigen Faktoren wurden entfernt.',
      ),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  settings_weakened: ({ by, changes, requestOrigin }, tenant) => ({
    subject: `Sicherheitseinstellungen von ${safeDisplayName(tenant)} wurden gelockert`,
    title: 'Sicherheitseinstellungen wurden gelockert',
    parts: [
      paragraph('Die Administration hat Einstellungen geändert, die Ihre Organisation schützen.'),
      factList(
        ...changes.map(
          ({ setting, before, after }) => [safeDisplayName(setting), `${safeDisplayName(before)} \u2192 ${safeDisplayName(after)}`] as const,
        ),
        ['Geändert von', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('Wenn Sie nichts davon wissen, prüfen Sie jetzt das Audit-Protokoll und stellen Sie die Einstellungen wieder her.'),
    ],
  }),
  client_identity_changed: ({ by, client, changed, people, requestOrigin }, tenant) => ({
    subject: `Eine Anwendung bei ${safeDisplayName(tenant)} wurde geändert`,
    title: 'Eine Anwendung wurde geändert',
    parts: [
      paragraph('Es wurde geändert, wer als diese Anwendung handeln kann. Die Zustimmungen, die Personen ihr erteilt hatten, sind beendet.'),
      factList(
        ['Anwendung', safeDisplayName(client)],
        ['Geändert', safeDisplayName(changed.join(', '))],
        ['Personen mit Zustimmung', String(people)],
        ['Geändert von', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('Wenn Sie nichts davon wissen, prüfen Sie jetzt das Audit-Protokoll und deaktivieren Sie die Anwendung.'),
    ],
  }),
  issuer_trusted: ({ by, name, issuer, requestOrigin }, tenant) => ({
    subject: `Bei ${safeDisplayName(tenant)} wird einem weiteren Server vertraut`,
    title: 'Einem weiteren Server wird vertraut',
    parts: [
      paragraph(
        'Die Administration vertraut diesem Aussteller oder vertraut ihm weiter als bisher. Er kann angeben, wer eine Person Ihrer Organisation ist.',
      ),
      factList(['Name', safeDisplayName(name)], ['Aussteller', safeDisplayName(issuer)], ['Geändert von', safeDisplayName(by)]),
      from(requestOrigin),
      smallPrint('Wenn Sie nichts davon wissen, prüfen Sie jetzt das Audit-Protokoll und entfernen Sie den Aussteller.'),
    ],
  }),
  attestor_trusted: ({ by, name, kind, requestOrigin }, tenant) => ({
    subject: `Bei ${safeDisplayName(tenant)} werden Nachweise von Workloads angenommen`,
    title: 'Nachweise von Workloads werden angenommen',
    parts: [
      paragraph(
        'Die Administration nimmt diesen Nachweis an oder nimmt mehr davon an als bisher. Ein Prozess, der ihn vorlegt, wird zu einem Workload Ihrer Organisation.',
      ),
      factList(['Name', safeDisplayName(name)], ['Art', safeDisplayName(kind)], ['Geändert von', safeDisplayName(by)]),
      from(requestOrigin),
      smallPrint('Wenn Sie nichts davon wissen, prüfen Sie jetzt das Audit-Protokoll und entfernen Sie den Attestor.'),
    ],
  }),
  session_revoked_all: ({ by, requestOrigin }, tenant) => ({
    subject: `Sie wurden bei ${safeDisplayName(tenant)} überall abgemeldet`,
    title: 'Sie wurden überall abgemeldet',
    parts: [
      paragraph(
        {
          owner: 'Sie haben alle anderen Sitzungen Ihres Kontos beendet. Die Sitzung, aus der Sie das getan haben, bleibt angemeldet.',
          administrator: 'Die Administration hat alle Sitzungen Ihres Kontos beendet.',
          system: 'Alle Sitzungen Ihres Kontos wurden zu seinem Schutz beendet.',
        }[by],
      ),
      from(requestOrigin),
      smallPrint(
        'Melden Sie sich wieder an, um fortzufahren. Wenn Sie das nicht erwartet haben, setzen Sie Ihr Passwort zurück und informieren Sie Ihre Administration.',
      ),
    ],
  }),
  provider_sign_in: ({ change, provider, requestOrigin }, tenant) => ({
    subject: {
      linked: `${safeDisplayName(provider)} wurde mit Ihrem Konto bei ${safeDisplayName(tenant)} verbunden`,
      unlinked: `${safeDisplayName(provider)} wurde von Ihrem Konto bei ${safeDisplayName(tenant)} getrennt`,
      used_first: `Ihr Konto bei ${safeDisplayName(tenant)} wurde über ${safeDisplayName(provider)} verwendet`,
    }[change],
    title: { linked: 'Ein Konto wurde verbunden', unlinked: 'Ein Konto wurde getrennt', used_first: 'Erste Anmeldung über einen Anbieter' }[change],
    parts: [
      paragraph(
        {
          linked: 'Sie können sich jetzt über diesen Anbieter bei Ihrem Konto anmelden.',
          unlinked: 'Damit ist keine Anmeldung bei Ihrem Konto mehr möglich. Alle anderen Sitzungen wurden beendet.',
          used_first: 'Dieser Anbieter wurde zum ersten Mal für eine Anmeldung bei Ihrem Konto verwendet.',
        }[change],
      ),
      factList(['Anbieter', safeDisplayName(provider)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  provider_link_code: ({ code: value, minutes: lifetime, provider, requestOrigin }, tenant) => ({
    subject: `Ihr Code zum Verbinden von ${safeDisplayName(provider)} bei ${safeDisplayName(tenant)}`,
    title: 'Ein Konto verbinden',
    parts: [
      paragraph(`Geben Sie diesen Code ein, um ${safeDisplayName(provider)} mit Ihrem Konto zu verbinden. Danach können Sie sich damit anmelden.`),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
}
