// Script of the federation callback page: posts the response to the opening window, restricted to the origin that started the flow; without an opener it
// navigates there.

type Handed = { readonly origin: string; readonly url: string; readonly message: unknown }

const part = document.querySelector<HTMLElement>('[data-answer]')
const handed: Handed | undefined = part?.dataset.answer === undefined ? undefined : JSON.parse(part.dataset.answer)

// Remove the code from the address bar and the history.
history.replaceState(null, '', location.pathname)
if (handed !== undefined) {
  if (window.opener === null) location.replace(handed.url)
  else {
    window.opener.postMessage(handed.message, handed.origin)
    window.close()
  }
}
