// The passkey button with the data for its script. Hidden without scripts or passkey support.

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
  /** Next step after verification: submit the form to `action`, or, for a signed-in person, open the page `next`. */
  readonly action?: string
  readonly next?: string
  readonly label: string
  readonly begin: string
  readonly finish: string
  readonly who: Readonly<Record<string, unknown>>
  readonly creates?: boolean
  /** Offered by autofill. */
  readonly conditional?: boolean
  /** The page’s main form: displays the error summary. */
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
