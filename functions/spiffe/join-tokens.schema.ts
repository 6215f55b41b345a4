// Wire shapes of join tokens.
import * as z from 'zod'
import { Id, paging } from '#shared/domains/administration/fields.schema'

export const JoinTokenPath = z.strictObject({ id: Id })
export const JoinTokensQuery = z.strictObject({ cursor: paging.cursor, limit: paging.limit })

export const MAX_JOIN_SECONDS = 3600
export const NewJoinToken = z
  .strictObject({
    attestor_id: Id.meta({ description: 'The attestor of kind `join_token` that the workload names.' }),
    entry_id: Id.optional().meta({ description: 'The registration entry that the workload gets.' }),
    description: z.string().trim().max(200).default(''),
    expires_in: z.number().int().min(60).max(MAX_JOIN_SECONDS).default(600),
  })
  .meta({ id: 'NewJoinToken' })

const members = {
  id: z.uuid(),
  attestor_id: z.uuid(),
  entry_id: z.uuid().nullable(),
  description: z.string(),
  selector: z.string().meta({ description: 'The selector of the workload that joins with it.' }),
  created_by: z.uuid(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  used_at: z.iso.datetime().nullable(),
  used_jkt: z.string().nullable().meta({ description: 'Thumbprint of the key that used it.' }),
}
export const JoinTokenOut = z.object(members).meta({ id: 'JoinToken' })
export const CreatedJoinToken = z
  .object({ ...members, token: z.string().meta({ description: 'The secret. Shown once.' }) })
  .meta({ id: 'CreatedJoinToken' })
export const JoinTokenList = z.array(JoinTokenOut).meta({ id: 'JoinTokens' })
