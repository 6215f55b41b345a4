// Shapes that the administration's resources share.
import * as z from 'zod'

/** A UUID of any version, in any letter case; lower case from here on. */
export const Id = z.guid().overwrite((text) => text.toLowerCase())
/** Of a list that has no other: whose, where a platform administrator names a tenant. */
export const ActingQuery = z.object({ tenant_id: Id.optional() })
export const Ids = z.array(Id).max(1000)

/** Characters of a scope token (RFC 6749 section 3.3) but the colon that joins a resource and an action: what becomes part of a token's `scope` must not split it. */
export const NAME_PATTERN = /^[\x21\x23-\x39\x3b-\x5b\x5d-\x7e]+$/

export const Description = z.string().max(1000)
export const MessageResponse = z.object({ message: z.string() }).meta({ id: 'AdministrationMessage' })

const MOST_ROWS = 1000
/** Search, cursor and limit of a list; without a limit a list answers what AuthSec promises: all of it, to the cap of 1000 rows. */
export const paging = {
  search: z.string().trim().max(200).optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(MOST_ROWS).default(MOST_ROWS),
}
