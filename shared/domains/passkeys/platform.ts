// The platform's own relying party, as the configuration names it or as follows from its addresses.
import { isIP } from 'node:net'
import type { Config } from '#shared/kernel/config'

type Platform = { readonly id: string; readonly origins: readonly string[] }
type Named = Pick<Config, 'BASE_URL' | 'PUBLIC_UI_ORIGIN' | 'WEBAUTHN_RP_ID' | 'WEBAUTHN_ORIGIN'>

/** An address is no relying party id (WebAuthn Level 3 section 5.1.3); the one that a development server listens on is `localhost` to a browser. */
const hostOf = (url: string): string => {
  const { hostname } = new URL(url)
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : 'localhost'
}
export const isHostWithin = (host: string, id: string): boolean => host === id || host.endsWith(`.${id}`)

/**
 * The platform's relying party. Where nothing is configured its id is the host of BASE_URL, which serves the related origins document, unless the UI is on a
 * domain above it.
 */
export const platformParty = (config: Named): Platform => {
  const api = hostOf(config.BASE_URL)
  const ui = hostOf(config.PUBLIC_UI_ORIGIN ?? config.BASE_URL)
  const own = [config.BASE_URL, config.PUBLIC_UI_ORIGIN].flatMap((url) => (url === undefined ? [] : [new URL(url).origin]))
  return {
    id: config.WEBAUTHN_RP_ID ?? (isHostWithin(api, ui) ? ui : api),
    origins: config.WEBAUTHN_ORIGIN.length > 0 ? config.WEBAUTHN_ORIGIN : [...new Set(own)],
  }
}
