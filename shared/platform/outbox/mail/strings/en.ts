// English.
import { factList, type LetterPart, paragraph, safeDisplayName, smallPrint } from '../letter.ts'
import type { MailData, MailStrings, RequestOrigin } from '../mail-data.ts'

const moments = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
const moment = (at: Date): string => `${moments.format(at)} UTC`
const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`
const minutes = (count: number): string => counted(count, 'minute', 'minutes')

const from = ({ at, device, address }: RequestOrigin): LetterPart =>
  factList(['When', moment(at)], ['Device', safeDisplayName(device)], ['Address', address])

const code = (value: string, lifetime: number): readonly LetterPart[] => [
  { kind: 'code', code: value },
  paragraph(
    `The code works once and for ${minutes(lifetime)}. Enter it only on the page where you requested it. We never call or write to ask for it.`,
  ),
]
const notYou = 'If this was not you, ignore this email: nothing happens without the code.'
const secure = 'If this was not you, reset your password now and contact your administrator.'

const FACTOR = {
  webauthn: 'A passkey',
  totp: 'An authenticator app',
  sms: 'A phone number',
  push: 'A device that approves sign-ins',
  voice: 'A voice account',
} as const

/** The sentence that says who removed a factor. */
const REMOVED: Readonly<Record<MailData['factor_removed']['by'], string>> = {
  owner: '',
  administrator: 'An administrator removed it. ',
  another: 'Another person signed in on this device, and it now approves that person’s sign-ins. ',
}

export const mailEn: MailStrings = {
  registration_code: ({ code: value, minutes: lifetime, domain, requestOrigin }, tenant) => ({
    subject: `Your code to register your company at ${safeDisplayName(tenant)}`,
    title: 'Verify your email address',
    parts: [
      paragraph('Enter this code to finish registering your company.'),
      ...code(value, lifetime),
      factList(['Domain', safeDisplayName(domain)]),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  user_registration_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to sign up with ${safeDisplayName(tenant)}`,
    title: 'Verify your email address',
    parts: [paragraph('Enter this code to finish signing up.'), ...code(value, lifetime), from(requestOrigin), smallPrint(notYou)],
  }),
  password_reset_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to reset your password at ${safeDisplayName(tenant)}`,
    title: 'Reset your password',
    parts: [
      paragraph('Enter this code to choose a new password.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(`${notYou} Your password stays the same.`),
    ],
  }),
  password_changed: ({ requestOrigin }, tenant) => ({
    subject: `Your password at ${safeDisplayName(tenant)} was changed`,
    title: 'Your password was changed',
    parts: [paragraph('The password of your account was changed, and all other sessions were ended.'), from(requestOrigin), smallPrint(secure)],
  }),
  email_change_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to verify this address at ${safeDisplayName(tenant)}`,
    title: 'Verify your new email address',
    parts: [paragraph('Enter this code to use this address for your account.'), ...code(value, lifetime), from(requestOrigin), smallPrint(notYou)],
  }),
  email_change_notice: ({ newEmail, agree, requestOrigin }, tenant) => ({
    subject: `Your email address at ${safeDisplayName(tenant)} ${agree === undefined ? 'was' : 'is being'} changed`,
    title: `Your email address ${agree === undefined ? 'was' : 'is being'} changed`,
    parts: [
      paragraph(
        agree === undefined
          ? 'The email address of your account was changed. All other sessions were ended, and emails about the account go only to the new address.'
          : 'A change of your email address was requested from a session that is signed in to your account.',
      ),
      factList(['New address', newEmail]),
      ...(agree === undefined ? [] : [paragraph('To approve the change, enter this code.'), ...code(agree.code, agree.minutes)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  already_registered: ({ signInUrl, requestOrigin }, tenant) => ({
    subject: `You already have an account at ${safeDisplayName(tenant)}`,
    title: 'You already have an account',
    parts: [
      paragraph('A sign-up was started with this address, but you already have an account. Sign in instead, or reset your password there.'),
      { kind: 'link', label: 'Sign in', url: signInUrl },
      from(requestOrigin),
      smallPrint('If this was not you, ignore this email: your account is unchanged.'),
    ],
  }),
  set_password_link: ({ link, hours, purpose, invitedBy }, tenant) => ({
    subject: purpose === 'invitation' ? `You are invited to ${safeDisplayName(tenant)}` : `Choose your password at ${safeDisplayName(tenant)}`,
    title: 'Choose your password',
    parts: [
      paragraph(
        {
          platform_administrator: 'You are the first administrator of this installation. Choose a password to get started.',
          invitation: 'You have been invited to join. Choose a password to accept.',
          synced_account: 'Your company created an account for you. Choose a password to use it.',
          administrator_reset: 'An administrator reset your password. Choose a new one.',
        }[purpose],
      ),
      ...(invitedBy === undefined ? [] : [factList(['Invited by', safeDisplayName(invitedBy)])]),
      { kind: 'link', label: 'Choose password', url: link },
      smallPrint(`The link works once and for ${counted(hours, 'hour', 'hours')}. Do not share it: anyone who opens it can take over the account.`),
    ],
  }),
  new_user_registered: ({ email, name, at }, tenant) => ({
    subject: `A new account at ${safeDisplayName(tenant)}`,
    title: 'New account',
    parts: [
      paragraph('A new account was created. You receive this email because you are an administrator.'),
      factList(['Email', email], ...(name === undefined ? [] : [['Name', safeDisplayName(name)] as const]), ['When', moment(at)]),
    ],
  }),
  account_locked: ({ until, requestOrigin }, tenant) => ({
    subject: `Your account at ${safeDisplayName(tenant)} is temporarily locked`,
    title: 'Your account is temporarily locked',
    parts: [
      paragraph(
        `There were too many sign-in attempts with a wrong password. You can sign in again after ${moment(until)}; devices that you have used before are not affected.`,
      ),
      from(requestOrigin),
      smallPrint('If this was not you, your password may be under attack. Choose a password that you use nowhere else.'),
    ],
  }),
  new_device_sign_in: ({ requestOrigin }, tenant) => ({
    subject: `New sign-in to your account at ${safeDisplayName(tenant)}`,
    title: 'New sign-in to your account',
    parts: [paragraph('There was a sign-in to your account on a new device.'), from(requestOrigin), smallPrint(secure)],
  }),
  webhook_disabled: ({ host, description, reason, since }, tenant) => ({
    subject: `A webhook of ${safeDisplayName(tenant)} was disabled`,
    title: 'A webhook was disabled',
    parts: [
      paragraph(
        {
          gone: 'The receiver responded that it no longer wants messages.',
          failing: 'The receiver has not accepted a message for three days.',
        }[reason],
      ),
      factList(['Receiver', safeDisplayName(host)], ...(description === '' ? [] : [['Description', safeDisplayName(description)] as const]), [
        'Since',
        moment(since),
      ]),
      smallPrint(
        'No events are lost: when you enable the webhook again, delivery continues where it stopped, as far back as your audit log is kept.',
      ),
    ],
  }),
  domain_proof: ({ stage, domain, name, value, until }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: ${stage === 'missing' ? 'a domain verification record is missing' : 'a domain is no longer verified'}`,
    title: 'A domain verification record is missing',
    parts: [
      paragraph(
        stage === 'missing'
          ? 'The DNS record that verifies this domain was not found. Restore it by the date below, or the domain is no longer verified.'
          : 'The DNS record that verifies this domain has been missing for two weeks. Restore it and verify the domain again.',
      ),
      factList(['Domain', safeDisplayName(domain)], ['TXT record', name], ['Value', value], [stage === 'missing' ? 'By' : 'Since', moment(until)]),
    ],
  }),
  resources_released: ({ domain, resources, at }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: resource servers were deactivated`,
    title: 'Resource servers were deactivated',
    parts: [
      paragraph(
        'Another organisation proved that it owns the domain below. Resource servers of your organisation in this domain were deactivated, and no more tokens are issued for them.',
      ),
      factList(
        ['Domain', safeDisplayName(domain)],
        ['Deactivated', moment(at)],
        ...resources.map((resource) => ['Resource server', resource] as const),
      ),
      smallPrint('If the domain is yours, verify it in your organisation; then the resource servers can be activated again.'),
    ],
  }),
  tenant_deletion: ({ stage, on, restoreToken, restoreUrl }, tenant) => ({
    subject: `${safeDisplayName(tenant)} ${stage === 'asked' ? 'is closed and will be deleted' : 'will be deleted tomorrow'}`,
    title: stage === 'asked' ? 'Your organisation is closed and will be deleted' : 'Your organisation will be deleted tomorrow',
    parts: [
      paragraph('Sign-in is disabled. On the date below all data is permanently deleted: people, clients, keys and the audit log.'),
      factList(['Deleted on', moment(on)]),
      paragraph(
        `Until then you can restore the organisation once with this token. Send it as restore_token to ${restoreUrl}, or contact the operator of this service.`,
      ),
      { kind: 'code', code: restoreToken },
      smallPrint('Keep the token secret. If the deletion is intended, you do not need to do anything.'),
    ],
  }),
  tenant_deleted: ({ at }) => ({
    subject: 'An organisation that you administered was deleted',
    title: 'The deletion is complete',
    parts: [
      paragraph('An organisation that you administered was permanently deleted, as announced. Its data can no longer be read or restored.'),
      factList(['When', moment(at)]),
    ],
  }),
  mailbox_proof_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to protect your account at ${safeDisplayName(tenant)}`,
    title: 'Verify your email address',
    parts: [
      paragraph('Enter this code to add a second factor to your account.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint('If this was not you, another person knows your password. Reset it now.'),
    ],
  }),
  factor_added: ({ kind, name, requestOrigin }, tenant) => ({
    subject: `${FACTOR[kind]} was added to your account at ${safeDisplayName(tenant)}`,
    title: `${FACTOR[kind]} was added`,
    parts: [
      paragraph('It can be used to sign in to your account from now on.'),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factors_taken_over: ({ factors, backupCodesLost, at }, tenant) => ({
    subject: `Your second factors were moved to ${safeDisplayName(tenant)}`,
    title: 'Your account and its second factors were moved',
    parts: [
      paragraph('You can use the same second factors as before to sign in:'),
      ...factors.map(({ kind, name }) => factList([FACTOR[kind], name === '' ? '–' : safeDisplayName(name)])),
      factList(['When', moment(at)]),
      ...(backupCodesLost ? [paragraph('Your previous backup codes are not valid here. Sign in and create new ones.')] : []),
      smallPrint('If one of them is not yours, sign in, remove it, reset your password and contact your administrator.'),
    ],
  }),
  passkey_copied: ({ for: reader, email, name, reviewUrl, requestOrigin }, tenant) => ({
    subject:
      reader === 'owner'
        ? `A passkey of your account at ${safeDisplayName(tenant)} may have been copied`
        : `A passkey at ${safeDisplayName(tenant)} may have been copied`,
    title: 'A passkey may have been copied',
    parts: [
      paragraph(
        reader === 'owner'
          ? 'The signature counter of your passkey went backwards, which can mean that a copy of it exists. The passkey is blocked: sign in with another method and review it. If you cannot explain this, remove the passkey and add a new one.'
          : 'The signature counter of a passkey went backwards, which can mean that a copy of it exists. The passkey is blocked. Contact its owner; once the cause is known, the owner unblocks it with another factor, or you do, with POST /people/{user_id}/factors/{factor_id}/clear-alarm.',
      ),
      factList(['Account', email], ...(name === '' ? [] : [['Name', safeDisplayName(name)] as const])),
      ...(reader === 'owner' ? [{ kind: 'link', label: 'Review passkey', url: reviewUrl } as const] : []),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'If this was not you, end your other sessions now and contact your administrator.'
          : 'The audit log shows where it was used from.',
      ),
    ],
  }),
  passkey_alarm_cleared: ({ name, by, requestOrigin }, tenant) => ({
    subject: `A passkey of your account at ${safeDisplayName(tenant)} can be used again`,
    title: 'A passkey can be used again',
    parts: [
      paragraph(
        by === 'owner'
          ? 'It was blocked because it may have been copied. You confirmed that it was not copied.'
          : 'It was blocked because it may have been copied. An administrator reviewed and unblocked it.',
      ),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_removed: ({ kind, name, left, by, requestOrigin }, tenant) => ({
    subject: `${FACTOR[kind]} was removed from your account at ${safeDisplayName(tenant)}`,
    title: `${FACTOR[kind]} was removed`,
    parts: [
      paragraph(`${REMOVED[by]}It can no longer be used to sign in.`),
      ...(left === 0 ? [paragraph('You have no second factor any more: only the password protects your account.')] : []),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_paused: ({ kind, until, requestOrigin }, tenant) => ({
    subject: `Wrong codes for your account at ${safeDisplayName(tenant)}`,
    title: 'Too many wrong codes',
    parts: [
      paragraph(`${FACTOR[kind]} of your account is paused because of too many wrong codes. It can be used again from ${moment(until)}.`),
      from(requestOrigin),
      smallPrint('If this was not you, another person may know your password. Reset it now.'),
    ],
  }),
  backup_code_used: ({ left, requestOrigin }, tenant) => ({
    subject: `A backup code of your account at ${safeDisplayName(tenant)} was used`,
    title: 'A backup code was used',
    parts: [
      paragraph(`${counted(left, 'code is', 'codes are')} left. Each code works once; you can create new ones in your account.`),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  backup_codes_replaced: ({ requestOrigin }, tenant) => ({
    subject: `Your backup codes at ${safeDisplayName(tenant)} were replaced`,
    title: 'Your backup codes were replaced',
    parts: [paragraph('Your previous codes are no longer valid.'), from(requestOrigin), smallPrint(secure)],
  }),
  recovery_pass_issued: ({ for: reader, email, issuedBy, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `A one-time pass was issued at ${safeDisplayName(tenant)}`,
    title: 'A one-time pass was issued',
    parts: [
      paragraph(
        reader === 'owner'
          ? `An administrator issued a one-time pass for your account. It gives access once, without the second factor, within ${minutes(lifetime)}.`
          : `A one-time pass was issued for an account. It gives access once, without the second factor, within ${minutes(lifetime)}.`,
      ),
      factList(['Account', email], ['Issued by', issuedBy]),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'If you did not request it, contact your administrator immediately.'
          : 'If you do not recognise this, check the audit log now.',
      ),
    ],
  }),
  recovery_started: ({ readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `A recovery of your account at ${safeDisplayName(tenant)} was requested`,
    title: 'A recovery of your account was requested',
    parts: [
      paragraph(
        `The request says that your passkeys and other factors are lost. From ${moment(readyAt)} the account can be recovered by email alone, unless you cancel the recovery.`,
      ),
      { kind: 'link', label: 'Cancel recovery', url: cancelUrl },
      from(requestOrigin),
      smallPrint('If this was not you, cancel it with the link above. Signing in cancels it as well.'),
    ],
  }),
  recovery_waiting: ({ stage, readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `${stage === 'waiting' ? 'A recovery is in progress for your account' : 'Your account can now be recovered'} at ${safeDisplayName(tenant)}`,
    title: stage === 'waiting' ? 'A recovery of your account is in progress' : 'The waiting period is over',
    parts: [
      paragraph(
        stage === 'waiting'
          ? `From ${moment(readyAt)} your account can be recovered without its passkeys and other factors, unless you cancel the recovery.`
          : 'The person who started the recovery and can read your email can now recover your account without its passkeys and other factors. If that is you, continue where you started it.',
      ),
      { kind: 'link', label: 'Cancel recovery', url: cancelUrl },
      from(requestOrigin),
      smallPrint(
        'If you have signed in since it started, it is already cancelled. If this was not you, cancel it with the link above and change your password.',
      ),
    ],
  }),
  recovery_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to recover your account at ${safeDisplayName(tenant)}`,
    title: 'Finish the recovery of your account',
    parts: [
      paragraph('The waiting period is over. This code removes the factors of your account, and you can sign in again.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  recovered: ({ by, requestOrigin }, tenant) => ({
    subject: `Your account at ${safeDisplayName(tenant)} was recovered`,
    title: 'Your account was recovered',
    parts: [
      paragraph(
        by === 'pass'
          ? 'It was recovered with a one-time pass from an administrator. Its previous factors were removed.'
          : 'It was recovered after the waiting period. Its previous factors were removed.',
      ),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  settings_weakened: ({ by, changes, requestOrigin }, tenant) => ({
    subject: `Security settings of ${safeDisplayName(tenant)} were weakened`,
    title: 'Security settings were weakened',
    parts: [
      paragraph('An administrator changed settings that protect your organisation.'),
      factList(
        ...changes.map(
          ({ setting, before, after }) => [safeDisplayName(setting), `${safeDisplayName(before)} \u2192 ${safeDisplayName(after)}`] as const,
        ),
        ['Changed by', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('If you do not recognise this change, check the audit log now and restore the settings.'),
    ],
  }),
  client_identity_changed: ({ by, client, changed, people, requestOrigin }, tenant) => ({
    subject: `An application at ${safeDisplayName(tenant)} was changed`,
    title: 'An application was changed',
    parts: [
      paragraph('What decides who can act as this application was changed. The consents that people had given to it have ended.'),
      factList(
        ['Application', safeDisplayName(client)],
        ['Changed', safeDisplayName(changed.join(', '))],
        ['People who had consented', String(people)],
        ['Changed by', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('If you do not recognise this change, check the audit log now and deactivate the application.'),
    ],
  }),
  issuer_trusted: ({ by, name, issuer, requestOrigin }, tenant) => ({
    subject: `Another server is trusted at ${safeDisplayName(tenant)}`,
    title: 'Another server is trusted',
    parts: [
      paragraph('An administrator trusts this issuer, or trusts it further than before. It can state who a person of your organisation is.'),
      factList(['Name', safeDisplayName(name)], ['Issuer', safeDisplayName(issuer)], ['Changed by', safeDisplayName(by)]),
      from(requestOrigin),
      smallPrint('If you do not recognise this change, check the audit log now and remove the issuer.'),
    ],
  }),
  attestor_trusted: ({ by, name, kind, requestOrigin }, tenant) => ({
    subject: `Evidence of workloads is accepted at ${safeDisplayName(tenant)}`,
    title: 'Evidence of workloads is accepted',
    parts: [
      paragraph(
        'An administrator accepts this evidence, or more of it than before. A process that presents it becomes a workload of your organisation.',
      ),
      factList(['Name', safeDisplayName(name)], ['Kind', safeDisplayName(kind)], ['Changed by', safeDisplayName(by)]),
      from(requestOrigin),
      smallPrint('If you do not recognise this change, check the audit log now and remove the attestor.'),
    ],
  }),
  session_revoked_all: ({ by, requestOrigin }, tenant) => ({
    subject: `You were signed out everywhere at ${safeDisplayName(tenant)}`,
    title: 'You were signed out everywhere',
    parts: [
      paragraph(
        {
          owner: 'You ended all other sessions of your account. The session that you used for this stays signed in.',
          administrator: 'An administrator ended all sessions of your account.',
          system: 'All sessions of your account were ended to protect it.',
        }[by],
      ),
      from(requestOrigin),
      smallPrint('Sign in again to continue. If you did not expect this, reset your password and contact your administrator.'),
    ],
  }),
  provider_sign_in: ({ change, provider, requestOrigin }, tenant) => ({
    subject: {
      linked: `${safeDisplayName(provider)} was connected to your account at ${safeDisplayName(tenant)}`,
      unlinked: `${safeDisplayName(provider)} was disconnected from your account at ${safeDisplayName(tenant)}`,
      used_first: `Your account at ${safeDisplayName(tenant)} was used through ${safeDisplayName(provider)}`,
    }[change],
    title: { linked: 'An account was connected', unlinked: 'An account was disconnected', used_first: 'First sign-in through a provider' }[change],
    parts: [
      paragraph(
        {
          linked: 'You can now sign in to your account with this provider.',
          unlinked: 'It can no longer be used to sign in to your account. All other sessions were ended.',
          used_first: 'This provider was used for the first time to sign in to your account.',
        }[change],
      ),
      factList(['Provider', safeDisplayName(provider)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  provider_link_code: ({ code: value, minutes: lifetime, provider, requestOrigin }, tenant) => ({
    subject: `Your code to connect ${safeDisplayName(provider)} at ${safeDisplayName(tenant)}`,
    title: 'Connect an account',
    parts: [
      paragraph(`Enter this code to connect ${safeDisplayName(provider)} to your account. You can then sign in with it.`),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
}
