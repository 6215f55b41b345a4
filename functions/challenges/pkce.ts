// Stores the PKCE verifier of a front end in a cookie of its browser.
import type * as z from 'zod'
import { readVerifierCookie, verifierCookie } from '#shared/domains/oauth/verifier-cookie'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { StoredVerifier, StoreVerifier } from './pkce.schema.ts'

/** The first verifier of a state stays. @throws AppError invalid_request for a different one */
export const storeVerifier = (
  ctx: Ctx,
  { state, code_verifier: verifier }: z.output<typeof StoreVerifier>,
): HttpResult<z.input<typeof StoredVerifier>> => {
  const before = readVerifierCookie(ctx, state)
  if (before !== undefined && before !== verifier)
    throw new AppError('invalid_request', 'A different verifier is stored for this state.', { field: 'body.state' })
  return new HttpResult({ success: true }, { cookies: [verifierCookie(ctx, state, verifier)] })
}
