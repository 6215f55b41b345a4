// Script of the page that an identity provider posts the browser to. It replaces the history entry, so the SAML response does not stay in the history.
const go = document.querySelector<HTMLElement>('[data-go]')?.dataset.go
if (go !== undefined) location.replace(go)
