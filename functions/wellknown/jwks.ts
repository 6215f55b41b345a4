// The deployment's public keys (RFC 7517). Prepared once a generation of keys; a reader that shows the ETag it has gets 304 from mount.
import { ConstantResult } from '#shared/platform/http/route'
import type { JwksDocument } from '#shared/platform/tokens/signing-keys'
import type { Ctx } from './group.ts'

const made = new WeakMap<JwksDocument, ConstantResult>()

/** The keys of this deployment alone: a tenant's own keys never stand here, or one tenant's key would pass for another's. */
export const jwksDocument = async (ctx: Pick<Ctx, 'signingKeys'>): Promise<ConstantResult> => {
  const document = await ctx.signingKeys.jwksDocument()
  const known = made.get(document) ?? new ConstantResult(document.body, document.etag)
  made.set(document, known)
  return known
}
