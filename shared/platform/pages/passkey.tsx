// The button of a passkey, with what its script needs. Without script, or without passkeys in the browser, it is not there.

import { FORM_TOKEN } from '#shared/platform/http/pages/form'
import { Summary } from './form.tsx'
import type { Hosted } from './hosted.tsx'

const CODES = [
  'passkey_cancelled',
  'passkey_refused',
  'registration_failed',
  'no_authentication_session',
  'no_registration_session',
  'email_not_verified',
  'mailbox_proof_required',
  'authentication_required',
  'no_credentials',
  'factor_limit',
  'other',
]

type Part = {
  readonly page: Hosted
  /** Where the browser goes once the passkey is verified: by the form, or, for who is signed in, by reading a page. */
  readonly action?: string
  readonly next?: string
  readonly label: string
  readonly begin: string
  readonly finish: string
  readonly who: Readonly<Record<string, unknown>>
  readonly creates?: boolean
  /** Offered by the browser while a form is filled in. */
  readonly conditional?: boolean
  /** The page’s one form: says what was not accepted. */
  readonly main?: boolean
}

export const PasskeyButton = ({ page, action, next, label, begin, finish, who, creates = false, conditional = false, main = false }: Part) => (
  <form
    method="post"
    {...(action === undefined ? {} : { action })}
    {...(next === undefined ? {} : { 'data-next': next })}
    hidden
    data-passkey
    data-begin={begin}
    data-finish={finish}
    data-who={JSON.stringify(who)}
    data-messages={JSON.stringify({
      ...Object.fromEntries(CODES.map((code) => [code, page.words.errors[code] ?? ''])),
      offline: page.forms.messages.offline,
    })}
    {...(creates ? { 'data-creates': true } : {})}
    {...(conditional ? { 'data-conditional': true } : {})}
  >
    {main ? <Summary heading={page.forms.messages.heading} /> : ''}
    <input type="hidden" name={FORM_TOKEN} value={page.token} />
    <button type="button" class={main ? 'primary' : 'second'}>
      {label}
    </button>
  </form>
)
