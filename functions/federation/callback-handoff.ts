// The data that the callback passes to its page.
import type { FederationPage } from '#db/store/federation-states'

/** Posted to the opening window, or sent as query to the UI's callback page. */
export type CallbackAnswer = Readonly<Record<string, string | boolean>>
/** `page`: the flow began on a hosted page, which continues it. `links`: the flow connects an identity instead of signing in. */
export type CallbackHandoff = {
  readonly origin: string
  readonly answer: CallbackAnswer
  readonly page: FederationPage | null
  readonly links: boolean
  /** Path of the callback page at that origin. */
  readonly path: string
}
