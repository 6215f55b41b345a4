// The data of each mail. The texts are in strings/, one file per language.
import type { Letter } from './letter.ts'

/** The origin of the request that caused the mail, so that the reader can recognise an attack. All three values are shown unchanged. */
export type RequestOrigin = {
  readonly at: Date
  /** For example "Firefox on Linux". */
  readonly device: string
  readonly address: string
}

export type NamedFactor = 'webauthn' | 'totp' | 'sms' | 'push' | 'voice'

export type MailData = {
  /** To the person who signs up a company. */
  readonly registration_code: { readonly code: string; readonly minutes: number; readonly domain: string; readonly requestOrigin: RequestOrigin }
  /** To a person who signs up with a company. */
  readonly user_registration_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly password_reset_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly password_changed: { readonly requestOrigin: RequestOrigin }
  /** To the new address. */
  readonly email_change_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  /** To the old address: a change was requested, with a code to approve it; without the code, the change has been made. */
  readonly email_change_notice: {
    readonly newEmail: string
    readonly agree?: { readonly code: string; readonly minutes: number }
    readonly requestOrigin: RequestOrigin
  }
  /** A sign-up used an address that already has an account. The page must not reveal that; a mail to the address may. */
  readonly already_registered: { readonly signInUrl: string; readonly requestOrigin: RequestOrigin }
  readonly set_password_link: {
    readonly link: string
    readonly hours: number
    readonly purpose: 'platform_administrator' | 'invitation' | 'synced_account' | 'administrator_reset'
    /** The inviter, if any. */
    readonly invitedBy?: string
  }
  /** To administrators. */
  readonly new_user_registered: { readonly email: string; readonly name?: string; readonly at: Date }
  readonly account_locked: { readonly until: Date; readonly requestOrigin: RequestOrigin }
  readonly new_device_sign_in: { readonly requestOrigin: RequestOrigin }
  /** To administrators. Only `host`: the rest of the URL may contain the receiver's secret. */
  readonly webhook_disabled: { readonly host: string; readonly description: string; readonly reason: 'gone' | 'failing'; readonly since: Date }
  /**
   * To people who may change domains: the DNS record of a verified domain is missing, and the domain stays verified until `until`; or it has lost its
   * verification.
   */
  readonly domain_proof: {
    readonly stage: 'missing' | 'lost'
    readonly domain: string
    readonly name: string
    readonly value: string
    readonly until: Date
  }
  /** To people who may change resource servers: another tenant proved the domain of these, which were deactivated. */
  readonly resources_released: { readonly domain: string; readonly resources: readonly string[]; readonly at: Date }
  /** A sign-in at another provider was connected, disconnected, or used for the first time. */
  readonly provider_sign_in: {
    readonly change: 'linked' | 'unlinked' | 'used_first'
    readonly provider: string
    readonly requestOrigin: RequestOrigin
  }
  /** Confirms that a sign-in at another provider belongs to the account of this mailbox. */
  readonly provider_link_code: { readonly code: string; readonly minutes: number; readonly provider: string; readonly requestOrigin: RequestOrigin }
  /** To administrators. `restoreToken` restores the tenant until that date. */
  readonly tenant_deletion: { readonly stage: 'asked' | 'reminder'; readonly on: Date; readonly restoreToken: string; readonly restoreUrl: string }
  /** To the former administrators. Contains no data of the tenant, because the mail outlives it. */
  readonly tenant_deleted: { readonly at: Date }
  /** A code that proves the mailbox before a first factor is enrolled. */
  readonly mailbox_proof_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly factor_added: { readonly kind: NamedFactor; readonly name: string; readonly requestOrigin: RequestOrigin }
  /** Factors imported from another system, and whether new backup codes are needed because the old ones are not valid here. */
  readonly factors_taken_over: {
    readonly factors: readonly { readonly kind: NamedFactor; readonly name: string }[]
    readonly backupCodesLost: boolean
    readonly at: Date
  }
  /** `left`: the number of remaining second factors, when the removed one was a second factor. */
  readonly factor_removed: {
    readonly kind: NamedFactor
    readonly name: string
    readonly left?: number
    /** `another`: the phone or browser now belongs to another person. */
    readonly by: 'owner' | 'administrator' | 'another'
    readonly requestOrigin: RequestOrigin
  }
  /** The signature counter of a passkey decreased: a copy of it may exist. */
  readonly passkey_copied: {
    readonly for: 'owner' | 'administrator'
    readonly email: string
    readonly name: string
    /** Page on which the owner reviews it. */
    readonly reviewUrl: string
    readonly requestOrigin: RequestOrigin
  }
  readonly passkey_alarm_cleared: { readonly name: string; readonly by: 'owner' | 'administrator'; readonly requestOrigin: RequestOrigin }
  readonly factor_paused: { readonly kind: NamedFactor; readonly until: Date; readonly requestOrigin: RequestOrigin }
  readonly backup_code_used: { readonly left: number; readonly requestOrigin: RequestOrigin }
  readonly backup_codes_replaced: { readonly requestOrigin: RequestOrigin }
  /** To the person, and to administrators. */
  readonly recovery_pass_issued: {
    readonly for: 'owner' | 'administrator'
    readonly email: string
    readonly issuedBy: string
    readonly minutes: number
    readonly requestOrigin: RequestOrigin
  }
  readonly recovery_started: { readonly readyAt: Date; readonly cancelUrl: string; readonly requestOrigin: RequestOrigin }
  /** During the waiting period of a recovery, and when it ends. */
  readonly recovery_waiting: {
    readonly stage: 'waiting' | 'ready'
    readonly readyAt: Date
    readonly cancelUrl: string
    readonly requestOrigin: RequestOrigin
  }
  readonly recovery_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly recovered: { readonly by: 'pass' | 'waiting'; readonly requestOrigin: RequestOrigin }
  /** To the other administrators: settings that now protect the tenant less, by their API names. */
  readonly settings_weakened: {
    readonly by: string
    readonly changes: readonly { readonly setting: string; readonly before: string; readonly after: string }[]
    readonly requestOrigin: RequestOrigin
  }
  /** To the administrators: a client that people had allowed something has other redirect URIs, keys or authentication, by the names of RFC 7591. */
  readonly client_identity_changed: {
    readonly by: string
    readonly client: string
    readonly changed: readonly string[]
    readonly people: number
    readonly requestOrigin: RequestOrigin
  }
  /** To the other administrators: an issuer is trusted, or trusted further. */
  readonly issuer_trusted: { readonly by: string; readonly name: string; readonly issuer: string; readonly requestOrigin: RequestOrigin }
  /** To the other administrators: evidence of workloads is accepted, or more of it. */
  readonly attestor_trusted: { readonly by: string; readonly name: string; readonly kind: string; readonly requestOrigin: RequestOrigin }
  readonly session_revoked_all: { readonly by: 'owner' | 'administrator' | 'system'; readonly requestOrigin: RequestOrigin }
}
export type MailTemplate = keyof MailData

/** A template's name together with its data. */
export type MailContent = { readonly [K in MailTemplate]: { readonly template: K; readonly data: MailData[K] } }[MailTemplate]

/** The texts of one language. */
export type MailStrings = { readonly [K in MailTemplate]: (data: MailData[K], tenant: string) => Letter }
