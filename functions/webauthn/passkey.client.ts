// All of passkeys in a page as one object, `authsecPasskeys`, for pages that bundle nothing themselves: served at /authsec/webauthn/passkey.js.
import * as passkeys from '#shared/platform/pages/passkey.client'

Object.assign(globalThis, { authsecPasskeys: passkeys })
