// What the callback hands to its page.
import type { FederationPage } from '#db/store/federation-states'

/** What the page posts to the window that opened it, or carries to the UI's own page. */
export type CallbackAnswer = Readonly<Record<string, string | boolean>>
/** `page`: begun on our own page, which goes on by itself; `links`: to connect what somebody has, not to sign in. */
export type CallbackHandoff = {
  readonly origin: string
  readonly answer: CallbackAnswer
  readonly page: FederationPage | null
  readonly links: boolean
  /** Where at that origin a page waits for it. */
  readonly path: string
}
