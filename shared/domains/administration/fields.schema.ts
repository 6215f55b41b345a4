// Wire shapes shared by the administration's resources.
import * as z from 'zod'

/** A UUID of any version and case; converted to lower case. */
export const Id = z.guid().overwrite((text) => text.toLowerCase())
/** The tenant of a list, for platform administrators. */
export const ActingQuery = z.object({ tenant_id: Id.optional() })
export const Ids = z.array(Id).max(1000)

/** Characters of a scope token (RFC 6749 section 3.3) except the colon that joins resource and action: a name must not split a token's `scope`. */
export const NAME_PATTERN = /^[\x21\x23-\x39\x3b-\x5b\x5d-\x7e]+$/

export const Description = z.string().max(1000)
export const MessageResponse = z.object({ message: z.string() }).meta({ id: 'AdministrationMessage' })

const MAX_ROWS = 1000
/** Search, cursor and limit of a list; without a limit a list returns up to 1000 rows, as in AuthSec. */
export const paging = {
  search: z.string().trim().max(200).optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_ROWS).default(MAX_ROWS),
}
