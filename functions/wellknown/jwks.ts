// The deployment's public keys (RFC 7517), serialized once per key generation. A request with the current ETag gets 304 from `mount`.
import { ConstantResult } from '#shared/platform/http/route'
import type { JwksDocument } from '#shared/platform/tokens/signing-keys'
import type { Ctx } from './group.ts'

const made = new WeakMap<JwksDocument, ConstantResult>()

/** Only the keys of the deployment: with tenant keys in this set, the key of one tenant would verify tokens of another. */
export const jwksDocument = async (ctx: Pick<Ctx, 'signingKeys'>): Promise<ConstantResult> => {
  const document = await ctx.signingKeys.jwksDocument()
  const known = made.get(document) ?? new ConstantResult(document.body, document.etag)
  made.set(document, known)
  return known
}
