// Wire shapes of a sign-in through a provider for an authorization request on a tenant's own front end.
import * as z from 'zod'
import { Exchanged } from './exchange.schema.ts'

export const ChallengeProviderPath = z.object({ provider: z.string().trim().toLowerCase().min(1).max(64) })
export const InitiateForChallenge = z
  .object({
    login_challenge: z.string().min(1).max(256),
    origin_domain: z.string().max(300).optional(),
    /** RFC 7636: kept in this browser until the code is exchanged. */
    code_verifier: z
      .string()
      .regex(/^(?:[\w.~-]{43,128})?$/, 'must be a code verifier (RFC 7636)')
      .optional(),
  })
  .meta({
    id: 'InitiateForLoginChallenge',
    examples: [{ login_challenge: 'c-1', origin_domain: 'login.example.com', code_verifier: 'v'.repeat(43) }],
  })
export const InitiatedForChallenge = z
  .object({ success: z.literal(true), auth_url: z.string(), state: z.string(), provider: z.string() })
  .meta({ id: 'InitiatedForLoginChallenge' })

export const ChallengeCallback = z
  .object({ code: z.string().max(4096).optional(), state: z.string().max(256).optional(), error: z.string().max(300).optional() })
  .meta({ id: 'LoginChallengeCallback' })
export const ChallengeAnswered = z
  .object({
    success: z.boolean(),
    /** The URL to continue at, after the sign-in was accepted. */
    redirect_to: z.string().optional(),
    user_info: z
      .object({
        user_id: z.string(),
        email: z.string(),
        name: z.string(),
        provider: z.string(),
        provider_id: z.string(),
        tenant_id: z.string(),
        avatar_url: z.string().optional(),
        email_verified: z.boolean(),
      })
      .optional(),
    /** The step that is still required, as `exchange-code` returns it. The front end completes the sign-in with its token. */
    error: z.string().optional(),
    first_step: Exchanged.optional(),
  })
  .meta({ id: 'LoginChallengeProviderAnswered' })
