// Wire shapes of signing in with only a passkey.
import * as z from 'zod'
import { Assertion } from './credential.schema.ts'

export const BeginPasskey = z.object({ client_id: z.string().min(1).max(200).optional() }).meta({ id: 'BeginPasskey' })
export const FinishPasskey = z.object({ credential: Assertion, session_id: z.string().max(256).optional() }).meta({ id: 'FinishPasskey' })
export const PasskeyVerified = z
  .object({
    success: z.literal(true),
    /** For the step that issues the token; also set as a cookie. */
    login_ticket: z.string(),
    tenant_id: z.string(),
    user_id: z.string(),
    email: z.string(),
    first_login: z.boolean(),
    /** A passkey with user verification is two factors: no further factor is needed. */
    mfa_required: z.literal(false),
  })
  .meta({ id: 'PasskeyVerified' })
