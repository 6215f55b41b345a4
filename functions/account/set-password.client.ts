// The script of the page behind a mailed link: takes the secret out of the address bar, asks whose account it is, sends the password.
import { postJson, reveals, sayError, sends, showState } from '#shared/platform/pages/form.client'
import { fill, waitInWords } from '#shared/platform/pages/wait'

const LINK = '/account/set-password/link'
const SAVE = '/account/set-password'
const FIELD = 'new-password'

/** In memory alone: not in the address, the history or a store. */
let ticket = ''
let shortest = ''

const element = <T extends Element>(selector: string, kind: new () => T): T => {
  const found = document.querySelector(selector)
  if (!(found instanceof kind)) throw new Error(`The page has no ${selector}.`)
  return found
}
const form = element('form', HTMLFormElement)
const password = element(`#${FIELD}`, HTMLInputElement)
const messages: Readonly<Record<string, string>> = JSON.parse(form.dataset.messages ?? '{}')

const wordsFor = (code: string, waitSeconds: number): string =>
  fill(messages[code] ?? messages.other ?? '', { shortest, wait: waitInWords(waitSeconds, document.documentElement.lang) })

const showLink = (body: Readonly<Record<string, unknown>>): void => {
  shortest = String(body.shortest)
  element('.who', HTMLElement).textContent = String(body.tenant_name)
  element('#account', HTMLInputElement).value = String(body.email)
  for (const part of document.querySelectorAll<HTMLElement>('[data-fill]')) part.textContent = fill(part.dataset.fill ?? '', { shortest })
  showState('form')
}

const check = async (): Promise<void> => {
  showState('wait')
  const answer = await postJson(LINK, { ticket })
  if (answer.ok) return showLink(answer.body)
  if (answer.code === 'link_expired') return showState('expired')
  element('[data-trouble]', HTMLElement).textContent = wordsFor(answer.code, answer.waitSeconds)
  showState('trouble')
}

const save = async (): Promise<void> => {
  sayError(form, '')
  if (password.value === '') return sayError(form, wordsFor('empty', 0), FIELD)
  const answer = await postJson(SAVE, { ticket, new_password: password.value })
  if (answer.ok || answer.code === 'link_expired') {
    password.value = ''
    ticket = ''
    return showState(answer.ok ? 'done' : 'expired')
  }
  sayError(form, wordsFor(answer.code, answer.waitSeconds), /^password_|^invalid_request$/.test(answer.code) ? FIELD : undefined)
}

/** A link that is opened again in this tab changes the fragment alone, so this runs then too. */
const begin = (): void => {
  const found = new URLSearchParams(location.hash.slice(1)).get('ticket')
  if (found === null && ticket !== '') return
  history.replaceState(null, '', location.pathname)
  ticket = found ?? ''
  if (ticket === '') showState('missing')
  else void check()
}

reveals(document)
sends(form, save)
element('[data-again]', HTMLButtonElement).addEventListener('click', () => void check())
addEventListener('hashchange', begin)
begin()
