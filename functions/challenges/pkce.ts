import type * as z from 'zod'
import { AppError } from '#shared/errors'
import { Sent } from '#shared/http/route'
import { keptVerifier, verifierCookie } from '#shared/oauth/kept-verifier'
import type { Ctx } from './group.ts'
import type { StoredVerifier, StoreVerifier } from './pkce.schema.ts'

/** The first one stays. @throws AppError invalid_request for another one */
export const storeVerifier = (ctx: Ctx, { state, code_verifier: verifier }: z.output<typeof StoreVerifier>): Sent<z.input<typeof StoredVerifier>> => {
  const before = keptVerifier(ctx, state)
  if (before !== undefined && before !== verifier)
    throw new AppError('invalid_request', 'A verifier is kept for this state.', { field: 'body.state' })
  return new Sent({ success: true }, { cookies: [verifierCookie(ctx, state, verifier)] })
}
