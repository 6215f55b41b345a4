// Script of the set-password page: moves the secret from the address bar into memory, loads the account, sends the password.
import { enableReveal, enableSubmit, postJson, showError, showStateParts } from '#shared/platform/pages/form.client'
import { fillPlaceholders, formatWait } from '#shared/platform/pages/wait'

const LINK = '/account/set-password/link'
const SAVE = '/account/set-password'
const FIELD = 'new-password'

/** In memory only: never in the address bar, the history or storage. */
let ticket = ''
let minLength = ''

const element = <T extends Element>(selector: string, kind: new () => T): T => {
  const found = document.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`)
  return found
}
const form = element('form', HTMLFormElement)
const password = element(`#${FIELD}`, HTMLInputElement)
const messages: Readonly<Record<string, string>> = JSON.parse(form.dataset.messages ?? '{}')

const wordsFor = (code: string, waitSeconds: number): string =>
  fillPlaceholders(messages[code] ?? messages.other ?? '', { shortest: minLength, wait: formatWait(waitSeconds, document.documentElement.lang) })

const showLink = (body: Readonly<Record<string, unknown>>): void => {
  minLength = String(body.shortest)
  element('.who', HTMLElement).textContent = String(body.tenant_name)
  element('#account', HTMLInputElement).value = String(body.email)
  for (const part of document.querySelectorAll<HTMLElement>('[data-fill]'))
    part.textContent = fillPlaceholders(part.dataset.fill ?? '', { shortest: minLength })
  showStateParts('form')
}

const check = async (): Promise<void> => {
  showStateParts('wait')
  const answer = await postJson(LINK, { ticket })
  if (answer.ok) return showLink(answer.body)
  if (answer.code === 'link_expired') return showStateParts('expired')
  element('[data-trouble]', HTMLElement).textContent = wordsFor(answer.code, answer.waitSeconds)
  showStateParts('trouble')
}

const save = async (): Promise<void> => {
  showError(form, '')
  if (password.value === '') return showError(form, wordsFor('empty', 0), FIELD)
  const answer = await postJson(SAVE, { ticket, new_password: password.value })
  if (answer.ok || answer.code === 'link_expired') {
    password.value = ''
    ticket = ''
    return showStateParts(answer.ok ? 'done' : 'expired')
  }
  showError(form, wordsFor(answer.code, answer.waitSeconds), /^password_|^invalid_request$/.test(answer.code) ? FIELD : undefined)
}

/** Opening a link again in the same tab changes only the fragment, so this also runs on `hashchange`. */
const readLink = (): void => {
  const found = new URLSearchParams(location.hash.slice(1)).get('ticket')
  if (found === null && ticket !== '') return
  history.replaceState(null, '', location.pathname)
  ticket = found ?? ''
  if (ticket === '') showStateParts('missing')
  else void check()
}

enableReveal(document)
enableSubmit(form, save)
element('[data-again]', HTMLButtonElement).addEventListener('click', () => void check())
addEventListener('hashchange', readLink)
readLink()
