// The script of the page that a provider sends the browser back to: hands the answer to the window that opened this one, at the origin that asked and no other;
// where there is none, goes there.

type Handed = { readonly origin: string; readonly url: string; readonly message: unknown }

const part = document.querySelector<HTMLElement>('[data-answer]')
const handed: Handed | undefined = part?.dataset.answer === undefined ? undefined : JSON.parse(part.dataset.answer)

// The code leaves the address bar and the history.
history.replaceState(null, '', location.pathname)
if (handed !== undefined) {
  if (window.opener === null) location.replace(handed.url)
  else {
    window.opener.postMessage(handed.message, handed.origin)
    window.close()
  }
}
