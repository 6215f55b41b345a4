// Wire shapes of introspection, revocation and userinfo.
import * as z from 'zod/mini'
import { clientMembers, given } from './token.schema.ts'

const tokenMembers = { token: given(8192), token_type_hint: given(256) }
export const IntrospectionForm = z.object(tokenMembers).check(z.meta({ id: 'IntrospectionRequest' }))
export const RevocationForm = z.object({ ...tokenMembers, ...clientMembers }).check(z.meta({ id: 'RevocationRequest' }))

const limitMembers = {
  calls_left: z.optional(z.int()),
  /** Minor units of `currency`. */
  amount_left: z.optional(z.int()),
  currency: z.optional(z.string()),
  /** Unix seconds. */
  until: z.optional(z.int()),
}
export const RemainingLimits = z.object(limitMembers).check(z.meta({ id: 'LimitLeft' }))

const wholeNumber = z.optional(
  z.pipe(
    z.string().check(z.regex(/^\d{0,15}$/, 'must be a whole number'), z.meta({ examples: ['1'] })),
    z.transform((text) => (text === '' ? undefined : Number(text))),
  ),
)

export const SpendForm = z
  .object({
    ...tokenMembers,
    /** Which of the token's authorization_details, counted from 0. */
    detail: wholeNumber,
    calls: wholeNumber,
    amount: wholeNumber,
    currency: z.optional(
      z.pipe(
        z.string().check(z.maxLength(3), z.meta({ examples: ['EUR'] })),
        z.transform((text) => (text === '' ? undefined : text)),
      ),
    ),
    /** A repeated spend_id spends once. With other values, or for another detail of the token, it is refused. */
    spend_id: given(200),
  })
  .check(z.meta({ id: 'SpendRequest' }))
export const SpendAnswer = z
  .object({ spent: z.literal(true), calls: z.int(), amount: z.int(), repeated: z.boolean(), ...limitMembers })
  .check(z.meta({ id: 'SpendAnswer' }))

export const RevocationsQuery = z.strictObject({ after: given(15).check(z.meta({ description: 'The cursor of the answer before.' })) })

/** RFC 7662 section 2.2. An inactive token has only `active: false`. */
export const TokenDescription = z
  .object({
    active: z.boolean(),
    iss: z.optional(z.string()),
    sub: z.optional(z.string()),
    subject_type: z.optional(z.enum(['user', 'service_account'])),
    client_id: z.optional(z.string()),
    tenant_id: z.optional(z.string()),
    aud: z.optional(z.array(z.string())),
    scope: z.optional(z.string()),
    exp: z.optional(z.int()),
    iat: z.optional(z.int()),
    jti: z.optional(z.string()),
    token_type: z.optional(z.string()),
    cnf: z.optional(z.object({ jkt: z.string() })),
    /** RFC 8693 section 4: the current actor and the earlier ones. */
    act: z.optional(z.record(z.string(), z.unknown())),
    may_act: z.optional(z.object({ sub: z.string() })),
    /** Where the client is an agent: its type and its owner. */
    agent_type: z.optional(z.string()),
    owner_id: z.optional(z.string()),
    /** RFC 9396 section 9.2 */
    authorization_details: z.optional(z.array(z.record(z.string(), z.unknown()))),
    /** The remaining limits of each detail, in the same order; null where nothing is counted. */
    authorization_details_left: z.optional(z.array(z.nullable(RemainingLimits))),
    service_account_id: z.optional(z.string()),
    acting_user_id: z.optional(z.string()),
    auth_time: z.optional(z.int()),
    acr: z.optional(z.string()),
    amr: z.optional(z.array(z.string())),
    sid: z.optional(z.string()),
  })
  .check(z.meta({ id: 'TokenDescription' }))

export const Userinfo = z
  .object({
    sub: z.string(),
    name: z.optional(z.string()),
    preferred_username: z.optional(z.string()),
    picture: z.optional(z.string()),
    email: z.optional(z.string()),
    email_verified: z.optional(z.boolean()),
  })
  .check(z.meta({ id: 'Userinfo' }))
