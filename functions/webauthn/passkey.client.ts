// All passkey functions as one object, `authsecPasskeys`, for pages without a bundler: served at /authsec/webauthn/passkey.js.
import * as passkeys from '#shared/platform/pages/passkey.client'

Object.assign(globalThis, { authsecPasskeys: passkeys })
