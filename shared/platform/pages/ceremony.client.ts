// Passkeys on the hosted pages: offered by the browser while the address is entered, started by a button, or created where a factor is required. The
// API's WebAuthn endpoints verify them and store the login ticket in its cookie, with which the page's form continues.
import { enableFormPosts, enableReveal, showError } from './form.client.ts'
import { enableTools, localiseTimes } from './tools.client.ts'

enableReveal(document)
enableFormPosts(document, document.body.dataset.offline ?? '')
enableTools(document)
localiseTimes(document)

type Json = Readonly<Record<string, unknown>>
type Ceremony = { readonly begin: string; readonly finish: string; readonly who: Json; readonly creates: boolean }

const form = document.querySelector<HTMLFormElement>('[data-passkey]')
const button = form?.querySelector<HTMLButtonElement>('button')
const messages: Readonly<Record<string, string>> = JSON.parse(form?.dataset.messages ?? '{}')
const main = document.querySelector<HTMLElement>('form:has([data-summary])') ?? form

/** A signed-in person's request includes the form token. */
const fieldsOf = (body: Json): URLSearchParams =>
  new URLSearchParams([
    ...Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ['form_token', form?.querySelector<HTMLInputElement>('[name=form_token]')?.value ?? ''],
  ])

const ask = async (path: string, body: Json): Promise<Json> => {
  const signedIn = path.startsWith('/')
  const response = await fetch(signedIn ? path : `/authsec/webauthn/${path}`, {
    method: 'POST',
    headers: { 'content-type': signedIn ? 'application/x-www-form-urlencoded' : 'application/json' },
    body: signedIn ? fieldsOf(body) : JSON.stringify(body),
    credentials: 'same-origin',
  })
  const answer: Json = await response.json()
  if (!response.ok) throw new Error(String(answer.code))
  return answer
}

const credentialOf = (publicKey: unknown, creates: boolean, more: CredentialRequestOptions): Promise<Credential | null> =>
  creates
    ? navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey as PublicKeyCredentialCreationOptionsJSON),
      })
    : navigator.credentials.get({
        ...more,
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey as PublicKeyCredentialRequestOptionsJSON),
      })

const run = async ({ begin, finish, who, creates }: Ceremony, more: CredentialRequestOptions): Promise<void> => {
  const { publicKey, session_id } = await ask(begin, who)
  const credential = await credentialOf(publicKey, creates, more)
  if (!(credential instanceof PublicKeyCredential)) throw new Error('passkey_cancelled')
  await ask(finish, { ...who, session_id, credential: credential.toJSON() })
  // The session continues with another token, and the page's forms depend on it, so the page is loaded again.
  if (form?.dataset.next === undefined) form?.submit()
  else location.assign(form.dataset.next)
}

const RELOADS: ReadonlySet<string> = new Set(['insufficient_user_authentication', 'sign_in_required', 'form_expired'])

/** Cancelling is not an error of the person. */
const say = (error: unknown): void => {
  const code = error instanceof DOMException ? 'passkey_cancelled' : error instanceof TypeError ? 'offline' : String((error as Error).message)
  // Reloading the page redirects to the renewed sign-in.
  if (RELOADS.has(code)) location.reload()
  else if (main) showError(main, messages[code] ?? messages.other ?? '')
}

const begin = async (ceremony: Ceremony, conditional: boolean): Promise<void> => {
  let waiting = new AbortController()
  button?.addEventListener('click', async () => {
    waiting.abort()
    waiting = new AbortController()
    button.disabled = true
    await run(ceremony, { signal: waiting.signal }).catch(say)
    button.disabled = false
  })
  if (!conditional || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
  // The person did not start it, so its errors are not displayed.
  await run(ceremony, { mediation: 'conditional', signal: waiting.signal }).catch(() => undefined)
}

if (form && button && typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential) {
  form.hidden = false
  for (const part of document.querySelectorAll<HTMLElement>('[data-without-passkeys]')) part.hidden = true
  const { begin: first = '', finish = '', who = '{}', creates, conditional } = form.dataset
  void begin({ begin: first, finish, who: JSON.parse(who), creates: creates !== undefined }, conditional !== undefined)
}
