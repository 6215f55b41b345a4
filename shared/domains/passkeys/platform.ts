// The platform's own WebAuthn relying party, from the configuration or its addresses.
import { isIP } from 'node:net'
import type { Config } from '#shared/kernel/config'

type Platform = { readonly id: string; readonly origins: readonly string[] }
type Named = Pick<Config, 'BASE_URL' | 'PUBLIC_UI_ORIGIN' | 'WEBAUTHN_RP_ID' | 'WEBAUTHN_ORIGIN'>

/** An IP address is not a relying party id (WebAuthn Level 3 section 5.1.3); browsers call a development server `localhost`. */
const hostOf = (url: string): string => {
  const { hostname } = new URL(url)
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : 'localhost'
}
export const isHostWithin = (host: string, id: string): boolean => host === id || host.endsWith(`.${id}`)

/**
 * The platform's relying party. Unless configured, its id is the host of BASE_URL, which serves the related origins document, or the UI's host when that is a
 * parent domain.
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
