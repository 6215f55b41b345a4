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
    `The code works once and for ${minutes(lifetime)}. Enter it only on the page where you asked for it; nobody will call or write to you for it.`,
  ),
]
const notYou = 'If this was not you, do nothing: without the code nothing happens.'
const secure = 'If this was not you, reset your password now and tell your administrator.'

const FACTOR = {
  webauthn: 'A passkey',
  totp: 'An authenticator app',
  sms: 'A phone number',
  push: 'A device that approves sign-ins',
  voice: 'A voice account',
} as const

/** Who removed it, before what that means. */
const REMOVED: Readonly<Record<MailData['factor_removed']['by'], string>> = {
  owner: '',
  administrator: 'An administrator removed it. ',
  another: 'Somebody else signed in on it and is asked there from now on. ',
}

export const mailEn: MailStrings = {
  registration_code: ({ code: value, minutes: lifetime, domain, requestOrigin }, tenant) => ({
    subject: `Your code to sign your company up at ${safeDisplayName(tenant)}`,
    title: 'Confirm your e-mail address',
    parts: [
      paragraph('Enter this code to finish signing your company up.'),
      ...code(value, lifetime),
      factList(['Domain', safeDisplayName(domain)]),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
  user_registration_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to sign up with ${safeDisplayName(tenant)}`,
    title: 'Confirm your e-mail address',
    parts: [paragraph('Enter this code to finish signing up.'), ...code(value, lifetime), from(requestOrigin), smallPrint(notYou)],
  }),
  password_reset_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to reset your password at ${safeDisplayName(tenant)}`,
    title: 'Reset your password',
    parts: [
      paragraph('Enter this code to choose a new password.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(`${notYou} Your password stays as it is.`),
    ],
  }),
  password_changed: ({ requestOrigin }, tenant) => ({
    subject: `Your password at ${safeDisplayName(tenant)} was changed`,
    title: 'Your password was changed',
    parts: [paragraph('The password of your account was changed, and other sign-ins were ended.'), from(requestOrigin), smallPrint(secure)],
  }),
  email_change_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to confirm this address at ${safeDisplayName(tenant)}`,
    title: 'Confirm your new address',
    parts: [paragraph('Enter this code to use this address for your account.'), ...code(value, lifetime), from(requestOrigin), smallPrint(notYou)],
  }),
  email_change_notice: ({ newEmail, agree, requestOrigin }, tenant) => ({
    subject: `Your e-mail address at ${safeDisplayName(tenant)} ${agree === undefined ? 'was' : 'is being'} changed`,
    title: `Your e-mail address ${agree === undefined ? 'was' : 'is being'} changed`,
    parts: [
      paragraph(
        agree === undefined
          ? 'Your account has another e-mail address now. Other sign-ins were ended, and mails about the account go to the new address alone.'
          : 'Somebody who is signed in to your account asked to change its e-mail address.',
      ),
      factList(['New address', newEmail]),
      ...(agree === undefined ? [] : [paragraph('If you agree, enter this code.'), ...code(agree.code, agree.minutes)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  already_registered: ({ signInUrl, requestOrigin }, tenant) => ({
    subject: `You already have an account at ${safeDisplayName(tenant)}`,
    title: 'You already have an account',
    parts: [
      paragraph('Somebody tried to sign up with this address, which has an account. Sign in instead, or reset your password there.'),
      { kind: 'link', label: 'Sign in', url: signInUrl },
      from(requestOrigin),
      smallPrint('If this was not you, do nothing: your account stays as it is.'),
    ],
  }),
  set_password_link: ({ link, hours, purpose, invitedBy }, tenant) => ({
    subject: purpose === 'invitation' ? `You are invited to ${safeDisplayName(tenant)}` : `Choose your password at ${safeDisplayName(tenant)}`,
    title: 'Choose your password',
    parts: [
      paragraph(
        {
          platform_administrator: 'You are the first administrator of this installation. Choose a password to begin.',
          invitation: 'You are invited to join. Choose a password to accept.',
          synced_account: 'Your company made an account for you. Choose a password to use it.',
          administrator_reset: 'An administrator took your old password away. Choose a new one.',
        }[purpose],
      ),
      ...(invitedBy === undefined ? [] : [factList(['Invited by', safeDisplayName(invitedBy)])]),
      { kind: 'link', label: 'Choose password', url: link },
      smallPrint(`The link works once and for ${counted(hours, 'hour', 'hours')}. Do not pass it on: who opens it first has the account.`),
    ],
  }),
  new_user_registered: ({ email, name, at }, tenant) => ({
    subject: `A new account at ${safeDisplayName(tenant)}`,
    title: 'Somebody signed up',
    parts: [
      paragraph('A new account was made. You receive this because you are an administrator.'),
      factList(['E-mail', email], ...(name === undefined ? [] : [['Name', safeDisplayName(name)] as const]), ['When', moment(at)]),
    ],
  }),
  account_locked: ({ until, requestOrigin }, tenant) => ({
    subject: `Your account at ${safeDisplayName(tenant)} is locked for a while`,
    title: 'Your account is locked for a while',
    parts: [
      paragraph(`There were too many wrong passwords. You can sign in again after ${moment(until)}; a device that you used before is not held up.`),
      from(requestOrigin),
      smallPrint('If this was not you, somebody is guessing. Choose a password that you use nowhere else.'),
    ],
  }),
  new_device_sign_in: ({ requestOrigin }, tenant) => ({
    subject: `New sign-in to your account at ${safeDisplayName(tenant)}`,
    title: 'Somebody signed in on a new device',
    parts: [paragraph('Your account was used on a device that it was not used on before.'), from(requestOrigin), smallPrint(secure)],
  }),
  webhook_disabled: ({ host, description, reason, since }, tenant) => ({
    subject: `A webhook of ${safeDisplayName(tenant)} was disabled`,
    title: 'A webhook was disabled',
    parts: [
      paragraph(
        {
          gone: 'The receiver answered that it wants no more messages.',
          failing: 'The receiver took no message for three days.',
        }[reason],
      ),
      factList(['Receiver', safeDisplayName(host)], ...(description === '' ? [] : [['Description', safeDisplayName(description)] as const]), [
        'Since',
        moment(since),
      ]),
      smallPrint('Nothing is lost: enable the webhook again, and it goes on where it stopped, as far back as your record is kept.'),
    ],
  }),
  domain_proof: ({ stage, domain, name, value, until }, tenant) => ({
    subject: `${safeDisplayName(tenant)}: ${stage === 'missing' ? 'the proof of a domain is missing' : 'a domain counts no more'}`,
    title: 'A domain without its proof',
    parts: [
      paragraph(
        stage === 'missing'
          ? 'The DNS does not show any more that this domain is yours. Put the record back by then, or the domain counts no more.'
          : 'For two weeks the DNS has not shown that this domain is yours. Put the record back and verify the domain again.',
      ),
      factList(['Domain', safeDisplayName(domain)], ['TXT', name], ['Value', value], [stage === 'missing' ? 'By' : 'Since', moment(until)]),
    ],
  }),
  tenant_deletion: ({ stage, on, restoreToken, restoreUrl }, tenant) => ({
    subject: `${safeDisplayName(tenant)} ${stage === 'asked' ? 'is closed and will be deleted' : 'will be deleted tomorrow'}`,
    title: stage === 'asked' ? 'Your organisation is closed and will be deleted' : 'Your organisation will be deleted tomorrow',
    parts: [
      paragraph('Nobody can sign in any more. On this date everything is deleted for good: people, clients, keys, the record.'),
      factList(['Deleted on', moment(on)]),
      paragraph(`Until then this token brings it back, once. Send it as restore_token to ${restoreUrl}, or ask whoever runs this service.`),
      { kind: 'code', code: restoreToken },
      smallPrint('Keep the token to yourself. If the deletion is wanted, do nothing.'),
    ],
  }),
  tenant_deleted: ({ at }) => ({
    subject: 'An organisation that you administered was deleted',
    title: 'The deletion is complete',
    parts: [
      paragraph(
        'An organisation that you administered here was deleted for good, as was announced. Nothing of it can be read or brought back any more.',
      ),
      factList(['When', moment(at)]),
    ],
  }),
  mailbox_proof_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to protect your account at ${safeDisplayName(tenant)}`,
    title: 'Confirm that this mailbox is yours',
    parts: [
      paragraph('Enter this code to add the first second factor to your account.'),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint('If this was not you, somebody knows your password: reset it now.'),
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
    subject: `Your second factors at ${safeDisplayName(tenant)} came along`,
    title: 'Your account was moved, and with it how you sign in',
    parts: [
      paragraph('These can be used to sign in to your account here, as they were before:'),
      ...factors.map(({ kind, name }) => factList([FACTOR[kind], name === '' ? '–' : safeDisplayName(name)])),
      factList(['When', moment(at)]),
      ...(backupCodesLost ? [paragraph('Your backup codes of before do not count here. Sign in and make new ones.')] : []),
      smallPrint('If one of them is not yours, remove it after you have signed in, reset your password and tell your administrator.'),
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
          ? 'Your passkey was used with a counter that had gone back. That happens when there are two copies of it. It is not accepted any more: sign in another way and look at it. If you cannot explain it, remove it and register a new one.'
          : 'A passkey was used with a counter that had gone back. That happens when there are two copies of it. It is not accepted any more. Talk to its owner; once it is explained, the owner clears the alarm with another factor, or you do, with POST /people/{user_id}/factors/{factor_id}/clear-alarm.',
      ),
      factList(['Account', email], ...(name === '' ? [] : [['Name', safeDisplayName(name)] as const])),
      ...(reader === 'owner' ? [{ kind: 'link', label: 'Look at it', url: reviewUrl } as const] : []),
      from(requestOrigin),
      smallPrint(
        reader === 'owner'
          ? 'If this was not you, end your other sign-ins now and tell your administrator.'
          : 'The record says from where it was used.',
      ),
    ],
  }),
  passkey_alarm_cleared: ({ name, by, requestOrigin }, tenant) => ({
    subject: `A passkey of your account at ${safeDisplayName(tenant)} is accepted again`,
    title: 'A passkey is accepted again',
    parts: [
      paragraph(
        by === 'owner'
          ? 'It was refused because it may have been copied. You said that it was not.'
          : 'It was refused because it may have been copied. An administrator looked at it and let it in again.',
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
      ...(left === 0 ? [paragraph('No second factor is left: your account is protected by its password alone.')] : []),
      ...(name === '' ? [] : [factList(['Name', safeDisplayName(name)])]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  factor_paused: ({ kind, until, requestOrigin }, tenant) => ({
    subject: `Wrong codes for your account at ${safeDisplayName(tenant)}`,
    title: 'Somebody enters wrong codes',
    parts: [
      paragraph(`${FACTOR[kind]} of yours was tried with wrong codes too often. It can be used again from ${moment(until)}.`),
      from(requestOrigin),
      smallPrint('If this was not you, somebody may know your password. Reset it now.'),
    ],
  }),
  backup_code_used: ({ left, requestOrigin }, tenant) => ({
    subject: `A backup code of your account at ${safeDisplayName(tenant)} was used`,
    title: 'A backup code was used',
    parts: [
      paragraph(`${counted(left, 'code is', 'codes are')} left. Each works once; you can make new ones in your account.`),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  backup_codes_replaced: ({ requestOrigin }, tenant) => ({
    subject: `Your backup codes at ${safeDisplayName(tenant)} were replaced`,
    title: 'Your backup codes were replaced',
    parts: [paragraph('The codes that you had before no longer work.'), from(requestOrigin), smallPrint(secure)],
  }),
  recovery_pass_issued: ({ for: reader, email, issuedBy, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `A way back in was issued at ${safeDisplayName(tenant)}`,
    title: 'A one-time pass was issued',
    parts: [
      paragraph(
        reader === 'owner'
          ? `An administrator issued a pass with which your account can be entered once, without its second factor, within ${minutes(lifetime)}.`
          : `A pass was issued with which an account can be entered once, without its second factor, within ${minutes(lifetime)}.`,
      ),
      factList(['Account', email], ['Issued by', issuedBy]),
      from(requestOrigin),
      smallPrint(
        reader === 'owner' ? 'If you did not ask for it, tell your administrator at once.' : 'If you do not know of it, look at the record now.',
      ),
    ],
  }),
  recovery_started: ({ readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `Somebody wants back into your account at ${safeDisplayName(tenant)}`,
    title: 'A recovery of your account has begun',
    parts: [
      paragraph(
        `Your passkeys and other factors are said to be lost. From ${moment(readyAt)} the account can be entered by mail alone, unless you stop it.`,
      ),
      { kind: 'link', label: 'Stop it', url: cancelUrl },
      from(requestOrigin),
      smallPrint('If this was not you, stop it with the link above. Signing in stops it, too.'),
    ],
  }),
  recovery_waiting: ({ stage, readyAt, cancelUrl, requestOrigin }, tenant) => ({
    subject: `${stage === 'waiting' ? 'Somebody still wants' : 'Somebody can now get'} back into your account at ${safeDisplayName(tenant)}`,
    title: stage === 'waiting' ? 'A recovery of your account is under way' : 'The waiting period is over',
    parts: [
      paragraph(
        stage === 'waiting'
          ? `From ${moment(readyAt)} your account can be entered without its passkeys and other factors, unless you stop it.`
          : 'Your account can now be entered without its passkeys and other factors, by whoever began the recovery and reads your mail. If that is you, go on where you began it.',
      ),
      { kind: 'link', label: 'Stop it', url: cancelUrl },
      from(requestOrigin),
      smallPrint(
        'If you have signed in since it began, it is over already. If it was not you, stop it with the link above and change your password.',
      ),
    ],
  }),
  recovery_code: ({ code: value, minutes: lifetime, requestOrigin }, tenant) => ({
    subject: `Your code to get back into your account at ${safeDisplayName(tenant)}`,
    title: 'Finish the recovery of your account',
    parts: [
      paragraph('The waiting period is over. With this code the factors of your account are removed, and you can sign in.'),
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
          ? 'It was entered with a pass that an administrator issued. The factors it had were removed.'
          : 'It was entered after the waiting period. The factors it had were removed.',
      ),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  settings_weakened: ({ by, changes, requestOrigin }, tenant) => ({
    subject: `${safeDisplayName(tenant)} is protected less than before`,
    title: 'Settings were loosened',
    parts: [
      paragraph('An administrator changed what protects your organisation.'),
      factList(
        ...changes.map(
          ({ setting, before, after }) => [safeDisplayName(setting), `${safeDisplayName(before)} \u2192 ${safeDisplayName(after)}`] as const,
        ),
        ['Changed by', safeDisplayName(by)],
      ),
      from(requestOrigin),
      smallPrint('If you do not know of it, look at the record now, and set it back.'),
    ],
  }),
  session_revoked_all: ({ by, requestOrigin }, tenant) => ({
    subject: `You were signed out everywhere at ${safeDisplayName(tenant)}`,
    title: 'You were signed out everywhere',
    parts: [
      paragraph(
        {
          owner: 'You ended all other sign-ins of your account; the one that you did it from goes on.',
          administrator: 'An administrator ended every sign-in of your account.',
          system: 'Every sign-in of your account was ended to protect it.',
        }[by],
      ),
      from(requestOrigin),
      smallPrint('Sign in again to go on. If you did not expect this, reset your password and tell your administrator.'),
    ],
  }),
  provider_sign_in: ({ change, provider, requestOrigin }, tenant) => ({
    subject: {
      linked: `${safeDisplayName(provider)} was connected to your account at ${safeDisplayName(tenant)}`,
      unlinked: `${safeDisplayName(provider)} was disconnected from your account at ${safeDisplayName(tenant)}`,
      used_first: `Your account at ${safeDisplayName(tenant)} was used through ${safeDisplayName(provider)}`,
    }[change],
    title: { linked: 'A sign-in was connected', unlinked: 'A sign-in was disconnected', used_first: 'First sign-in through a provider' }[change],
    parts: [
      paragraph(
        {
          linked: 'From now on who signs in there can sign in to your account.',
          unlinked: 'It no longer opens your account. Other sign-ins of your account were ended.',
          used_first: 'Somebody signed in to your account through this provider for the first time.',
        }[change],
      ),
      factList(['Provider', safeDisplayName(provider)]),
      from(requestOrigin),
      smallPrint(secure),
    ],
  }),
  provider_link_code: ({ code: value, minutes: lifetime, provider, requestOrigin }, tenant) => ({
    subject: `Your code to connect ${safeDisplayName(provider)} at ${safeDisplayName(tenant)}`,
    title: 'Connect a sign-in',
    parts: [
      paragraph(`Enter this code to connect ${safeDisplayName(provider)} with your account. Whoever signs in there can then sign in here.`),
      ...code(value, lifetime),
      from(requestOrigin),
      smallPrint(notYou),
    ],
  }),
}
