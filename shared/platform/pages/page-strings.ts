// The texts that every page has, in each language.

/** Messages of a refused form by error code. `{shortest}` and `{wait}` are filled in when displayed. */
export type FormMessages = {
  /** Above the field errors, as a heading. */
  readonly heading: string
  /** For every code without a message of its own. */
  readonly other: string
  readonly offline: string
  readonly rate_limited: string
  readonly empty: string
  readonly password_too_short: string
  readonly password_too_long: string
  readonly password_guessable: string
  readonly password_breached: string
  readonly invalid_request: string
}

export type PageStrings = {
  readonly form: {
    readonly messages: FormMessages
    readonly showPassword: string
    readonly hidePassword: string
    readonly tryAgain: string
    readonly signIn: string
  }
  readonly noScript: { readonly title: string; readonly text: string }
  readonly setPassword: {
    readonly title: string
    readonly wait: string
    readonly account: string
    readonly password: string
    readonly rule: string
    readonly submit: string
    readonly busy: string
    readonly doneTitle: string
    readonly done: string
    readonly expiredTitle: string
    readonly expired: string
    readonly missingTitle: string
    readonly missing: string
    readonly troubleTitle: string
  }
  /** The page that a provider sends the browser back to. */
  readonly federation: {
    readonly title: string
    readonly doneTitle: string
    readonly done: string
    readonly refusedTitle: string
    readonly refused: string
    readonly go: string
    readonly staleTitle: string
    readonly stale: string
    readonly startAgain: string
  }
}
