// What each mail needs to know. The words are in strings/, one file a language.
import type { Letter } from './letter.ts'

/** From where something was asked, so that the reader can tell it from an attack. All three are shown as they are. */
export type RequestOrigin = {
  readonly at: Date
  /** In words: "Firefox on Linux". */
  readonly device: string
  readonly address: string
}

export type NamedFactor = 'webauthn' | 'totp' | 'sms' | 'push' | 'voice'

export type MailData = {
  /** To who signs a company up. */
  readonly registration_code: { readonly code: string; readonly minutes: number; readonly domain: string; readonly requestOrigin: RequestOrigin }
  /** To who signs up with a company. */
  readonly user_registration_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly password_reset_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly password_changed: { readonly requestOrigin: RequestOrigin }
  /** To the new address. */
  readonly email_change_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  /** To the old address: that a change was asked for, with the code by which it agrees; without one, that it was made. */
  readonly email_change_notice: {
    readonly newEmail: string
    readonly agree?: { readonly code: string; readonly minutes: number }
    readonly requestOrigin: RequestOrigin
  }
  /** Somebody signed up with an address that has an account: the page cannot say so, the mailbox may know. */
  readonly already_registered: { readonly signInUrl: string; readonly requestOrigin: RequestOrigin }
  readonly set_password_link: {
    readonly link: string
    readonly hours: number
    readonly purpose: 'platform_administrator' | 'invitation' | 'synced_account' | 'administrator_reset'
    /** Who invited, where somebody did. */
    readonly invitedBy?: string
  }
  /** To administrators. */
  readonly new_user_registered: { readonly email: string; readonly name?: string; readonly at: Date }
  readonly account_locked: { readonly until: Date; readonly requestOrigin: RequestOrigin }
  readonly new_device_sign_in: { readonly requestOrigin: RequestOrigin }
  /** To administrators. `host` alone: the rest of the address may hold what the receiver knows its callers by. */
  readonly webhook_disabled: { readonly host: string; readonly description: string; readonly reason: 'gone' | 'failing'; readonly since: Date }
  /** To who may change domains: a proved one shows its proof no more, and until when it stays; or that it counts no more. */
  readonly domain_proof: {
    readonly stage: 'missing' | 'lost'
    readonly domain: string
    readonly name: string
    readonly value: string
    readonly until: Date
  }
  /** A sign-in at another provider (by its name) was connected, disconnected, or used for the first time. */
  readonly provider_sign_in: {
    readonly change: 'linked' | 'unlinked' | 'used_first'
    readonly provider: string
    readonly requestOrigin: RequestOrigin
  }
  /** Confirms that a sign-in at another provider belongs to the account of this mailbox. */
  readonly provider_link_code: { readonly code: string; readonly minutes: number; readonly provider: string; readonly requestOrigin: RequestOrigin }
  /** To administrators. `restoreToken` brings the tenant back until then. */
  readonly tenant_deletion: { readonly stage: 'asked' | 'reminder'; readonly on: Date; readonly restoreToken: string; readonly restoreUrl: string }
  /** To who were its administrators. Says nothing of the tenant: nothing of it is left, and the mail stays. */
  readonly tenant_deleted: { readonly at: Date }
  /** A code that proves the mailbox before a first factor is enrolled. */
  readonly mailbox_proof_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly factor_added: { readonly kind: NamedFactor; readonly name: string; readonly requestOrigin: RequestOrigin }
  /** Factors that came along from another system, and whether backup codes have to be made anew, since those of before do not count here. */
  readonly factors_taken_over: {
    readonly factors: readonly { readonly kind: NamedFactor; readonly name: string }[]
    readonly backupCodesLost: boolean
    readonly at: Date
  }
  /** `left`: how many second factors remain, where it was one. */
  readonly factor_removed: {
    readonly kind: NamedFactor
    readonly name: string
    readonly left?: number
    /** `another`: a phone or browser that is somebody else's now. */
    readonly by: 'owner' | 'administrator' | 'another'
    readonly requestOrigin: RequestOrigin
  }
  /** The counter of a passkey went back: somebody may have a copy of it. */
  readonly passkey_copied: {
    readonly for: 'owner' | 'administrator'
    readonly email: string
    readonly name: string
    /** Where the owner looks at it. */
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
  /** While a recovery waits, and when its time has come. */
  readonly recovery_waiting: {
    readonly stage: 'waiting' | 'ready'
    readonly readyAt: Date
    readonly cancelUrl: string
    readonly requestOrigin: RequestOrigin
  }
  readonly recovery_code: { readonly code: string; readonly minutes: number; readonly requestOrigin: RequestOrigin }
  readonly recovered: { readonly by: 'pass' | 'waiting'; readonly requestOrigin: RequestOrigin }
  /** To the other administrators: what protects their tenant less now. Settings by the names of the API. */
  readonly settings_weakened: {
    readonly by: string
    readonly changes: readonly { readonly setting: string; readonly before: string; readonly after: string }[]
    readonly requestOrigin: RequestOrigin
  }
  readonly session_revoked_all: { readonly by: 'owner' | 'administrator' | 'system'; readonly requestOrigin: RequestOrigin }
}
export type MailTemplate = keyof MailData

/** A template's name with its own data: neither goes without the other. */
export type MailContent = { readonly [K in MailTemplate]: { readonly template: K; readonly data: MailData[K] } }[MailTemplate]

/** The words of one language. */
export type MailStrings = { readonly [K in MailTemplate]: (data: MailData[K], tenant: string) => Letter }
