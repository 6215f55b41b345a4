// Wire shapes of introspection, revocation and userinfo.
import * as z from 'zod'
import { clientMembers, given } from './token.schema.ts'

const about = { token: given(8192), token_type_hint: given(256) }
export const IntrospectionForm = z.object(about).meta({ id: 'IntrospectionRequest' })
export const RevocationForm = z.object({ ...about, ...clientMembers }).meta({ id: 'RevocationRequest' })

const left = {
  calls_left: z.int().optional(),
  /** Minor units of `currency`. */
  amount_left: z.int().optional(),
  currency: z.string().optional(),
  /** Unix seconds. */
  until: z.int().optional(),
}
export const RemainingLimits = z.object(left).meta({ id: 'LimitLeft' })

const whole = z
  .string()
  .regex(/^\d{0,15}$/, 'must be a whole number')
  .meta({ examples: ['1'] })
  .transform((text) => (text === '' ? undefined : Number(text)))
  .optional()

export const SpendForm = z
  .object({
    ...about,
    /** Which of the token's authorization_details, counted from 0. */
    detail: whole,
    calls: whole,
    amount: whole,
    currency: z
      .string()
      .max(3)
      .meta({ examples: ['EUR'] })
      .transform((text) => (text === '' ? undefined : text))
      .optional(),
    /** The same one again spends once. */
    spend_id: given(200),
  })
  .meta({ id: 'SpendRequest' })
export const SpendAnswer = z
  .object({ spent: z.literal(true), calls: z.int(), amount: z.int(), repeated: z.boolean(), ...left })
  .meta({ id: 'SpendAnswer' })

export const RevocationsQuery = z.strictObject({ after: given(15).meta({ description: 'The cursor of the answer before.' }) })

/** RFC 7662 section 2.2. Of a token that does not count, nothing but that. */
export const TokenDescription = z
  .object({
    active: z.boolean(),
    iss: z.string().optional(),
    sub: z.string().optional(),
    subject_type: z.enum(['user', 'service_account']).optional(),
    client_id: z.string().optional(),
    tenant_id: z.string().optional(),
    aud: z.array(z.string()).optional(),
    scope: z.string().optional(),
    exp: z.int().optional(),
    iat: z.int().optional(),
    jti: z.string().optional(),
    token_type: z.string().optional(),
    cnf: z.object({ jkt: z.string() }).optional(),
    /** RFC 8693 section 4: who acts, and who acted before. */
    act: z.record(z.string(), z.unknown()).optional(),
    may_act: z.object({ sub: z.string() }).optional(),
    /** Where the client is an agent: of which type, and who answers for it. */
    agent_type: z.string().optional(),
    owner_id: z.string().optional(),
    /** RFC 9396 section 9.2 */
    authorization_details: z.array(z.record(z.string(), z.unknown())).optional(),
    /** What is left of each of them, in that order; null where nothing is counted. */
    authorization_details_left: z.array(RemainingLimits.nullable()).optional(),
    service_account_id: z.string().optional(),
    acting_user_id: z.string().optional(),
    auth_time: z.int().optional(),
    acr: z.string().optional(),
    amr: z.array(z.string()).optional(),
    sid: z.string().optional(),
  })
  .meta({ id: 'TokenDescription' })

export const Userinfo = z
  .object({
    sub: z.string(),
    name: z.string().optional(),
    preferred_username: z.string().optional(),
    picture: z.string().optional(),
    email: z.string().optional(),
    email_verified: z.boolean().optional(),
  })
  .meta({ id: 'Userinfo' })
