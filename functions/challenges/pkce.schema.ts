// Wire shapes of stored PKCE verifiers.
import * as z from 'zod'

/** RFC 7636 section 4.1 */
export const Verifier = z.string().regex(/^[\w.~-]{43,128}$/, 'must be a code verifier (RFC 7636)')
export const StoreVerifier = z
  .object({ state: z.string().min(1).max(4096), code_verifier: Verifier })
  .meta({ id: 'StorePkceVerifier', examples: [{ state: 'st-1', code_verifier: 'v'.repeat(43) }] })
export const StoredVerifier = z.object({ success: z.literal(true) }).meta({ id: 'PkceVerifierStored' })
