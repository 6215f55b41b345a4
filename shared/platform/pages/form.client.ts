// Behaviour of forms in the browser: reveal a password, display errors, submit once. Runs on the page, so it imports nothing of the server.

export type FormResponse = {
  readonly ok: boolean
  readonly code: string
  readonly body: Readonly<Record<string, unknown>>
  readonly waitSeconds: number
}

const TIMEOUT_MS = 30_000

/** Sends JSON to this origin. Never throws: a request that could not be sent has the code `offline`. */
export const postJson = async (path: string, body: unknown): Promise<FormResponse> => {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const parsed: Readonly<Record<string, unknown>> = response.status === 204 ? {} : await response.json()
    const code = typeof parsed.code === 'string' ? parsed.code : 'other'
    return { ok: response.ok, code, body: parsed, waitSeconds: Number(response.headers.get('retry-after') ?? '0') }
  } catch {
    return { ok: false, code: 'offline', body: {}, waitSeconds: 0 }
  }
}

/** Buttons that show and hide the password. */
export const enableReveal = (root: ParentNode): void => {
  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-reveals]')) {
    button.hidden = false
    button.addEventListener('click', () => {
      const input = document.getElementById(button.dataset.reveals ?? '')
      if (!(input instanceof HTMLInputElement)) return
      const shows = input.type === 'password'
      input.type = shows ? 'text' : 'password'
      button.setAttribute('aria-pressed', String(shows))
      button.textContent = (shows ? button.dataset.hide : button.dataset.show) ?? ''
    })
  }
}

/** Displays an error at its field, if it has one, and in the summary, which takes focus. An empty text removes both. */
export const showError = (form: HTMLElement, text: string, fieldId?: string): void => {
  const summary = form.querySelector<HTMLElement>('[data-summary]')
  const words = form.querySelector('[data-summary-text]')
  if (words) words.textContent = text
  for (const error of form.querySelectorAll<HTMLElement>('[data-error-of]')) {
    const isHere = text !== '' && error.dataset.errorOf === fieldId
    error.textContent = isHere ? text : ''
    error.hidden = !isHere
    const input = document.getElementById(error.dataset.errorOf ?? '')
    if (isHere) input?.setAttribute('aria-invalid', 'true')
    else input?.removeAttribute('aria-invalid')
  }
  if (!summary) return
  summary.hidden = text === ''
  if (text !== '') summary.focus()
}

/** Delay before a progress indicator; without one people press again. */
const SIGN_AFTER_MS = 300

/** Forms that the browser submits itself: once, with a progress indicator, and not while offline. The entered values stay. */
export const enableFormPosts = (root: ParentNode, offline: string): void => {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[method=post]')) {
    let sent = false
    let sign: ReturnType<typeof setTimeout> | undefined
    const shown = (button: HTMLButtonElement, busy: boolean): void => {
      if (busy) button.setAttribute('aria-busy', 'true')
      else button.removeAttribute('aria-busy')
      button.textContent = (busy ? button.dataset.busy : button.dataset.label) ?? ''
    }
    form.addEventListener('submit', (event) => {
      if (sent) return event.preventDefault()
      if (!navigator.onLine) {
        event.preventDefault()
        return showError(form, offline)
      }
      sent = true
      const button = event.submitter instanceof HTMLButtonElement ? event.submitter : form.querySelector<HTMLButtonElement>('button[type=submit]')
      if (button) sign = setTimeout(() => shown(button, true), SIGN_AFTER_MS)
    })
    // A page restored from the back-forward cache has not been submitted.
    addEventListener('pageshow', () => {
      sent = false
      clearTimeout(sign)
      for (const button of form.querySelectorAll<HTMLButtonElement>('[aria-busy=true]')) shown(button, false)
    })
  }
}

/** Sends on submit, one request at a time. */
export const enableSubmit = (form: HTMLFormElement, send: () => Promise<void>): void => {
  const button = form.querySelector<HTMLButtonElement>('button[type=submit]')
  let isUnderWay = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (isUnderWay) return
    isUnderWay = true
    const sign = setTimeout(() => {
      button?.setAttribute('aria-busy', 'true')
      if (button) button.textContent = button.dataset.busy ?? ''
    }, SIGN_AFTER_MS)
    await send()
    clearTimeout(sign)
    button?.removeAttribute('aria-busy')
    if (button) button.textContent = button.dataset.label ?? ''
    isUnderWay = false
  })
}

/** Displays one of a page's states. Focus moves to its first control (`data-first`), else to the heading, so that screen readers announce it. */
export const showStateParts = (state: string): void => {
  for (const part of document.querySelectorAll<HTMLElement>('[data-state]')) {
    part.hidden = part.dataset.state !== state
    if (!part.hidden) (part.querySelector<HTMLElement>('[data-first]') ?? part.querySelector('h1'))?.focus()
  }
}
