// Wire shapes of consent at a front end of a company's own.
import * as z from 'zod'
import { challenge } from './login.schema.ts'

export const ConsentQuery = z.object({ consent_challenge: challenge })
export const ConsentQuestionQuery = z.strictObject({ consent_challenge: challenge })

const Detail = z.record(z.string(), z.unknown())
/** As the hosted page would ask: who, what, where it goes, how long. What the client said of itself is text of theirs. */
export const ConsentQuestion = z
  .object({
    consent_challenge: z.string(),
    /** The person who is asked. */
    subject: z.string(),
    client: z.object({
      client_id: z.string(),
      client_name: z.string(),
      /** Where the answer goes. */
      redirect_host: z.string(),
      /** Who answers for it, where it is an agent. */
      agent_owner: z.string().optional(),
    }),
    requested_scope: z.array(z.object({ name: z.string(), description: z.string() })),
    /** The resource server that the tokens are for. */
    requested_audience: z.array(z.object({ resource: z.string(), name: z.string() })),
    authorization_details: z.array(Detail),
    /** What the types of the details are called. */
    authorization_types: z.record(z.string(), z.string()),
    expires_at: z.string(),
  })
  .meta({ id: 'ConsentQuestion' })

export const AcceptConsent = z
  .strictObject({
    consent_challenge: challenge,
    /** Some of what is asked for; everything, if left out. */
    grant_scope: z.array(z.string().max(1000)).max(1000).optional(),
    grant_audience: z.array(z.string().max(2048)).max(10).optional(),
    authorization_details: z.array(Detail).max(20).optional(),
    /** Whether the scopes are asked about again. */
    remember: z.boolean().default(true),
  })
  .meta({ id: 'AcceptConsent' })
export const RejectConsent = z.strictObject({ consent_challenge: challenge }).meta({ id: 'RejectConsent' })
