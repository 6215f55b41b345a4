// Who may call a route. A new kind of caller is a new rule here and a branch in guard.ts, never a check in a handler.

import type { Client, Permission, User, Workload } from '#shared/platform/principals/principal'
import type { Acr } from '#shared/platform/tokens/acr'

/** Classes of rate limits. Every class counts per address; per account only where the route names the body's member that identifies the account. */
export type LimitClass = 'credential' | 'code' | 'polling' | 'status' | 'general' | 'admin' | 'decision'

/** Requests per minute, per address and per account. */
export const LIMITS: Readonly<Record<LimitClass, { readonly perAddress: number; readonly perAccount: number }>> = {
  credential: { perAddress: 10, perAccount: 5 },
  code: { perAddress: 10, perAccount: 5 },
  polling: { perAddress: 30, perAccount: 30 },
  status: { perAddress: 20, perAccount: 20 },
  general: { perAddress: 100, perAccount: 100 },
  admin: { perAddress: 300, perAccount: 300 },
  // Backends request a decision for each of their own requests; the tenant's quota bounds them.
  decision: { perAddress: 12_000, perAccount: 12_000 },
}

export type Limit = {
  readonly class: LimitClass
  /** The member of the body that names the account. */
  readonly account?: string
  /**
   * The rule itself authenticates the caller and counts: by client after authentication, by address before. The guard counts only the route's own
   * limit per address.
   */
  readonly countedByRule?: true
}

/** RFC 9470: maximum age and minimum strength of the sign-in. `webauthn`: a phishing-resistant factor with user verification. */
export type StepUp = { readonly withinSeconds?: number; readonly acr?: Acr; readonly factor?: 'webauthn' }

/** Path of the page that holds the form, when it differs from the route's path. */
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
  | { readonly rule: 'workload'; readonly limit: Limit; readonly principal?: P }
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

/** Anyone. Requires a reason and a limit. */
export const open = (why: string, limit: Limit): Access<undefined> => ({ rule: 'open', why, limit })
/** A signed-in person. Pass a limit when the body carries a password or a code. */
export const user = (stepUp?: StepUp, limit = GENERAL): Access<User> => ({ rule: 'user', limit, ...(stepUp ? { stepUp } : {}) })
/**
 * A signed-in person, or a caller with another proof that the rule requires (a login ticket). A bearer token that is sent must be valid: the request
 * never falls back to anonymous. Requires a reason and a limit.
 */
export const userOrNobody = (why: string, limit: Limit): Access<User | undefined> => ({ rule: 'userOrNobody', why, limit })
/** As `user`, also in a session that began with a temporary password: for changing the password and for signing out. */
export const userWithTemporaryPassword = (limit = GENERAL): Access<User> => ({ rule: 'user', withTemporaryPassword: true, limit })
/** A person who holds all of these permissions, tenant-wide, at this moment. `platform:*` permissions exist only in the system tenant. */
export const may = (...all: readonly Permission[]): Access<User> => ({ rule: 'permission', all, limit: { class: 'admin' } })
/** As `may`, with a step-up requirement. */
export const mayFresh = (stepUp: StepUp, ...all: readonly Permission[]): Access<User> => ({
  rule: 'permission',
  all,
  stepUp,
  limit: { class: 'admin' },
})
/** A client that authenticates with its id and secret (RFC 6749 section 2.3.1) and has a service account with all of these permissions. */
export const client = (...all: readonly Permission[]): Access<Client> => ({ rule: 'client', orUser: false, all, limit: { class: 'decision' } })
/** As `client`, or a signed-in person. */
export const userOrClient = (...all: readonly Permission[]): Access<User | Client> => ({
  rule: 'client',
  orUser: true,
  all,
  limit: { class: 'decision' },
})
/**
 * A workload that proves possession of its X.509-SVID with an SVID-Proof header. Many workloads may share an address; the tenant's quota bounds them.
 */
export const workload = (limit: Limit = { class: 'decision' }): Access<Workload> => ({ rule: 'workload', limit })
/** A scraper that presents METRICS_TOKEN. */
export const scraper = (): Access<undefined> => ({ rule: 'metrics', limit: GENERAL })
/** Anyone, on a hosted page, with the browser's session if there is one. Forms are accepted only from our own pages. */
export const page = (why: string, limit: Limit, more: FormPlace = {}): Access<User | undefined> => ({ rule: 'page', why, limit, ...more })
/** A person signed in in this browser, on a hosted page. Other visitors are redirected to sign in and then return. */
type InBrowser = FormPlace & { readonly stepUp?: StepUp; readonly limit?: Limit; readonly withTemporaryPassword?: true }
export const browser = ({ limit = GENERAL, ...more }: InBrowser = {}): Access<User> => ({
  rule: 'browser',
  limit,
  ...more,
})
