// Passkeys on the hosted pages: offered by the browser while the address is filled in, asked for by a button, added where a factor is owed. The API's own
// ceremonies judge them; what they leave is the login ticket in its cookie, with which the page's form finishes.
import { enableFormPosts, enableReveal, showError } from './form.client.ts'

enableReveal(document)
enableFormPosts(document, document.body.dataset.offline ?? '')

type Json = Readonly<Record<string, unknown>>
type Ceremony = { readonly begin: string; readonly finish: string; readonly who: Json; readonly creates: boolean }

const form = document.querySelector<HTMLFormElement>('[data-passkey]')
const button = form?.querySelector<HTMLButtonElement>('button')
const messages: Readonly<Record<string, string>> = JSON.parse(form?.dataset.messages ?? '{}')
const main = document.querySelector<HTMLElement>('form:has([data-summary])') ?? form

/** Who is signed in sends the token of the page's form with it. */
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
  // The session goes on under another token, and with it the page's forms: it is read again.
  if (form?.dataset.next === undefined) form?.submit()
  else location.assign(form.dataset.next)
}

const RELOADS: ReadonlySet<string> = new Set(['insufficient_user_authentication', 'sign_in_required', 'form_expired'])

/** What the person gave up is no mistake of theirs; while a form is filled in, nothing is said of it. */
const say = (error: unknown): void => {
  const code = error instanceof DOMException ? 'passkey_cancelled' : error instanceof TypeError ? 'offline' : String((error as Error).message)
  // The page itself leads to where the sign-in is renewed.
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
  // Nobody asked for it, so nothing of it is said.
  await run(ceremony, { mediation: 'conditional', signal: waiting.signal }).catch(() => undefined)
}

if (form && button && typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential) {
  form.hidden = false
  for (const part of document.querySelectorAll<HTMLElement>('[data-without-passkeys]')) part.hidden = true
  const { begin: first = '', finish = '', who = '{}', creates, conditional } = form.dataset
  void begin({ begin: first, finish, who: JSON.parse(who), creates: creates !== undefined }, conditional !== undefined)
}
