// Who may call a route. A new kind of caller is a new rule here and a branch in guard.ts, never a check in a handler.

import type { Client, Permission, User } from '#shared/platform/principals/principal'
import type { Acr } from '#shared/platform/tokens/acr'

/** How often. Per address always; per account where the route names the member of its body that names the account. */
export type LimitClass = 'credential' | 'code' | 'polling' | 'status' | 'general' | 'admin' | 'decision'

/** Requests a minute, per address and per account. */
export const LIMITS: Readonly<Record<LimitClass, { readonly perAddress: number; readonly perAccount: number }>> = {
  credential: { perAddress: 10, perAccount: 5 },
  code: { perAddress: 10, perAccount: 5 },
  polling: { perAddress: 30, perAccount: 30 },
  status: { perAddress: 20, perAccount: 20 },
  general: { perAddress: 100, perAccount: 100 },
  admin: { perAddress: 300, perAccount: 300 },
  // Backends ask for every request of their own; the tenant's quota is what bounds them.
  decision: { perAddress: 12_000, perAccount: 12_000 },
}

export type Limit = {
  readonly class: LimitClass
  /** The member of the body that names the account. */
  readonly account?: string
  /** The rule proves who calls, and counts: by client who is proved, by address who is not. Here the route’s own ceiling alone. */
  readonly countedByRule?: true
}

/** RFC 9470: how fresh and how strong the sign-in must be. `webauthn`: with a factor that resists phishing, and something of the person beside it. */
export type StepUp = { readonly withinSeconds?: number; readonly acr?: Acr; readonly factor?: 'webauthn' }

/** Where the form stands that is sent here, when it is not a page of the same path. */
type FormPlace = { readonly form?: `/${string}` }

export type Access<P> =
  | { readonly rule: 'open'; readonly why: string; readonly limit: Limit; readonly principal?: P }
  | { readonly rule: 'userOrNobody'; readonly why: string; readonly limit: Limit; readonly principal?: P }
  | {
      readonly rule: 'user'
      readonly stepUp?: StepUp
      readonly withTemporaryPassword?: true
      readonly limit: Limit
      readonly principal?: P
    }
  | { readonly rule: 'permission'; readonly all: readonly Permission[]; readonly stepUp?: StepUp; readonly limit: Limit; readonly principal?: P }
  | { readonly rule: 'client'; readonly orUser: boolean; readonly all: readonly Permission[]; readonly limit: Limit; readonly principal?: P }
  | { readonly rule: 'metrics'; readonly limit: Limit; readonly principal?: P }
  | ({ readonly rule: 'page'; readonly why: string; readonly limit: Limit; readonly principal?: P } & FormPlace)
  | ({
      readonly rule: 'browser'
      readonly stepUp?: StepUp
      readonly withTemporaryPassword?: true
      readonly limit: Limit
      readonly principal?: P
    } & FormPlace)

const GENERAL: Limit = { class: 'general' }

/** Anybody. Says why, and what limits it. */
export const open = (why: string, limit: Limit): Access<undefined> => ({ rule: 'open', why, limit })
/** Anybody who is signed in. With a limit of its own where the body carries a password or a code. */
export const user = (stepUp?: StepUp, limit = GENERAL): Access<User> => ({ rule: 'user', limit, ...(stepUp ? { stepUp } : {}) })
/**
 * Anybody who is signed in, or who carries another proof that the rule asks for (a login ticket). A bearer token that is sent has to be good: nobody falls
 * back on being nobody. Says why, and what limits it.
 */
export const userOrNobody = (why: string, limit: Limit): Access<User | undefined> => ({ rule: 'userOrNobody', why, limit })
/** As `user`, also in a session that began with a temporary password: for changing it, and for leaving. */
export const userWithTemporaryPassword = (limit = GENERAL): Access<User> => ({ rule: 'user', withTemporaryPassword: true, limit })
/** Somebody who holds all of these permissions, tenant-wide, now. `platform:*` exist in the system tenant alone. */
export const may = (...all: readonly Permission[]): Access<User> => ({ rule: 'permission', all, limit: { class: 'admin' } })
/** The same, with a sign-in as fresh or strong as that. */
export const mayFresh = (stepUp: StepUp, ...all: readonly Permission[]): Access<User> => ({
  rule: 'permission',
  all,
  stepUp,
  limit: { class: 'admin' },
})
/** A backend with its client's id and secret (RFC 6749 section 2.3.1), whose service account holds all of these permissions. */
export const client = (...all: readonly Permission[]): Access<Client> => ({ rule: 'client', orUser: false, all, limit: { class: 'decision' } })
/** Such a backend, or anybody who is signed in. */
export const userOrClient = (...all: readonly Permission[]): Access<User | Client> => ({
  rule: 'client',
  orUser: true,
  all,
  limit: { class: 'decision' },
})
/** A scraper that shows METRICS_TOKEN. */
export const scraper = (): Access<undefined> => ({ rule: 'metrics', limit: GENERAL })
/** Anybody, on a hosted page: with the browser's session if it has one. Forms are taken from our own pages alone. */
export const page = (why: string, limit: Limit, more: FormPlace = {}): Access<User | undefined> => ({ rule: 'page', why, limit, ...more })
/** Somebody who is signed in in this browser, on a hosted page. A stranger is sent to sign in, and comes back. */
type InBrowser = FormPlace & { readonly stepUp?: StepUp; readonly limit?: Limit; readonly withTemporaryPassword?: true }
export const browser = ({ limit = GENERAL, ...more }: InBrowser = {}): Access<User> => ({
  rule: 'browser',
  limit,
  ...more,
})
