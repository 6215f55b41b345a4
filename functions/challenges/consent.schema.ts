// Wire shapes of consent on a tenant's own front end.
import * as z from 'zod'
import { challenge } from './login.schema.ts'

export const ConsentQuery = z.object({ consent_challenge: challenge })
export const ConsentQuestionQuery = z.strictObject({ consent_challenge: challenge })

const Detail = z.record(z.string(), z.unknown())
/** The content of the hosted consent page: client, request, destination, expiry. Texts of the client are not verified. */
export const ConsentQuestion = z
  .object({
    consent_challenge: z.string(),
    /** The person who decides. */
    subject: z.string(),
    client: z.object({
      client_id: z.string(),
      client_name: z.string(),
      /** The host that receives the response. */
      redirect_host: z.string(),
      /** The person accountable for the client when it is an agent. */
      agent_owner: z.string().optional(),
    }),
    requested_scope: z.array(z.object({ name: z.string(), description: z.string() })),
    /** The resource server that the tokens are for. */
    requested_audience: z.array(z.object({ resource: z.string(), name: z.string() })),
    authorization_details: z.array(Detail),
    /** Titles of the detail types. */
    authorization_types: z.record(z.string(), z.string()),
    expires_at: z.string(),
  })
  .meta({ id: 'ConsentQuestion' })

export const AcceptConsent = z
  .strictObject({
    consent_challenge: challenge,
    /** Part of the requested scopes; all of them when absent. */
    grant_scope: z.array(z.string().max(1000)).max(1000).optional(),
    grant_audience: z.array(z.string().max(2048)).max(10).optional(),
    authorization_details: z.array(Detail).max(20).optional(),
    /** Whether the decision is stored, so that the same scopes need no consent again. */
    remember: z.boolean().default(true),
  })
  .meta({ id: 'AcceptConsent' })
export const RejectConsent = z.strictObject({ consent_challenge: challenge }).meta({ id: 'RejectConsent' })
