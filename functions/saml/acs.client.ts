// The script of the page that an identity provider posts the browser to: goes on to where the sign-in began, without leaving the answer in the history.
const go = document.querySelector<HTMLElement>('[data-go]')?.dataset.go
if (go !== undefined) location.replace(go)
