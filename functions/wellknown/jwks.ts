// The deployment's public keys (RFC 7517). Prepared once a generation of keys; a reader that shows the ETag it has gets 304 from mount.
import { Sent } from '#shared/http/route'
import type { Ctx } from './group.ts'

/** The keys of this deployment alone: a tenant's own keys never stand here, or one tenant's key would pass for another's. */
export const jwks = async (ctx: Pick<Ctx, 'signingKeys'>): Promise<Sent<string>> => {
  const { body, etag } = await ctx.signingKeys.jwksDocument()
  return new Sent(body, { headers: { ETag: etag } })
}
