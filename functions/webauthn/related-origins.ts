// Origins that may use a relying party id (WebAuthn Level 3 section 5.11), served by the host of that id.

import { directory } from '#db/engine/tenant'
import { findCustomDomains, findVerifiedDomain } from '#db/store/domains'
import { platformParty } from '#shared/domains/passkeys/platform'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'

const HOST = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::\d+)?$/i

/** The platform's configured origins, or the verified domains of the tenant that owns the host. @throws AppError not_found */
export const relatedOrigins = async (ctx: Ctx): Promise<{ origins: string[] }> => {
  const host = HOST.exec(ctx.request.host)?.[1]?.toLowerCase()
  const platform = platformParty(ctx.config)
  if (host === platform.id) return { origins: [...platform.origins] }
  const d = directory(ctx.db)
  const domain = host === undefined || host.length > 253 ? undefined : await findVerifiedDomain(d, host)
  if (domain?.kind !== 'custom') throw new AppError('not_found')
  return { origins: (await findCustomDomains(d, domain.tenantId)).map((name) => `https://${name}`) }
}
