// For whom a ceremony is: the platform, or a tenant on a domain of its own. Chosen by the page's origin, which must be known to us; told again by nobody.
import { isIP } from 'node:net'
import { findVerifiedDomain } from '#db/store/domains'
import { directory, type TenantId } from '#db/tenant'
import type { Config } from '#shared/config'
import { AppError } from '#shared/errors'
import type { Ctx } from './group.ts'

export type RelyingParty = {
  readonly id: string
  readonly name: string
  readonly origin: string
  /** Whose domain the page is on; undefined on the platform's own. */
  readonly tenantId: TenantId | undefined
  /** On a domain that the tenant proved to be its own. */
  readonly custom: boolean
}

type Platform = { readonly id: string; readonly origins: readonly string[] }
type Named = Pick<Config, 'BASE_URL' | 'PUBLIC_UI_ORIGIN' | 'WEBAUTHN_RP_ID' | 'WEBAUTHN_ORIGIN'>

/** An address is no relying party id (WebAuthn Level 3 section 5.1.3); the one that a development server listens on is `localhost` to a browser. */
const hostOf = (url: string): string => {
  const { hostname } = new URL(url)
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : 'localhost'
}
const isWithin = (host: string, id: string): boolean => host === id || host.endsWith(`.${id}`)

/**
 * The platform's relying party. Where nothing is configured its id is the host of BASE_URL, which serves the related origins document, unless the UI is on a
 * domain above it.
 */
export const platformParty = (config: Named): Platform => {
  const api = hostOf(config.BASE_URL)
  const ui = hostOf(config.PUBLIC_UI_ORIGIN ?? config.BASE_URL)
  const own = [config.BASE_URL, config.PUBLIC_UI_ORIGIN].flatMap((url) => (url === undefined ? [] : [new URL(url).origin]))
  return {
    id: config.WEBAUTHN_RP_ID ?? (isWithin(api, ui) ? ui : api),
    origins: config.WEBAUTHN_ORIGIN.length > 0 ? config.WEBAUTHN_ORIGIN : [...new Set(own)],
  }
}

/** A browser's own development machine, in plain http, outside production. */
const isLocal = (config: Config, url: URL): boolean => config.ENVIRONMENT !== 'production' && url.protocol === 'http:' && url.hostname === 'localhost'

const originOf = (text: string | undefined): URL | undefined =>
  text !== undefined && URL.canParse(text) && new URL(text).origin === text ? new URL(text) : undefined

/** Says nothing of which origins there are. */
const refused = (): AppError => new AppError('invalid_origin')

/**
 * The relying party of the page that calls. A tenant's domain serves that tenant's people alone.
 * @throws AppError invalid_origin
 */
export const relyingParty = async (ctx: Ctx, tenantId: TenantId | undefined): Promise<RelyingParty> => {
  const url = originOf(ctx.request.origin)
  const { config } = ctx
  if (url === undefined || !(url.protocol === 'https:' || isLocal(config, url))) throw refused()
  const platform = platformParty(config)
  const party = { name: config.WEBAUTHN_RP_NAME, origin: url.origin }
  if (platform.origins.includes(url.origin) || isLocal(config, url)) return { ...party, id: platform.id, tenantId: undefined, custom: false }
  const domain = url.port === '' && url.hostname.length <= 253 ? await findVerifiedDomain(directory(ctx.db), url.hostname) : undefined
  if (domain === undefined || (tenantId !== undefined && domain.tenantId !== tenantId)) throw refused()
  const custom = domain.kind === 'custom'
  const id = !custom && isWithin(url.hostname, platform.id) ? platform.id : url.hostname
  return { ...party, id, tenantId: domain.tenantId, custom }
}
