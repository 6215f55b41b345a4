// The relying party of a ceremony: the platform, or a tenant on its own domain. It is chosen by the page's origin, which must be known to us.

import { directory, type TenantId } from '#db/engine/tenant'
import { findVerifiedDomain } from '#db/store/domains'
import { isHostWithin, platformParty } from '#shared/domains/passkeys/platform'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'

export type RelyingParty = {
  readonly id: string
  readonly name: string
  readonly origin: string
  /** The tenant that owns the page's domain; undefined on the platform's own. */
  readonly tenantId: TenantId | undefined
  /** On a domain that the tenant has verified. */
  readonly custom: boolean
}

/** Plain http on localhost, for development only. */
const isLocal = (config: Config, url: URL): boolean => config.ENVIRONMENT !== 'production' && url.protocol === 'http:' && url.hostname === 'localhost'

const originOf = (text: string | undefined): URL | undefined =>
  text !== undefined && URL.canParse(text) && new URL(text).origin === text ? new URL(text) : undefined

/** One answer for all, so that it reveals no configured origin. */
const refused = (): AppError => new AppError('invalid_origin')

/**
 * The relying party of the calling page. A tenant's domain serves only that tenant's people.
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
  const id = !custom && isHostWithin(url.hostname, platform.id) ? platform.id : url.hostname
  return { ...party, id, tenantId: domain.tenantId, custom }
}
