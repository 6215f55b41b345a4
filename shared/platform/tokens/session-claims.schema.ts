// The claims of a session token on the wire, as they are declared. What reads them is `isWireClaims`, which is held to this.

import * as z from 'zod'
import { UUID } from '#shared/kernel/ids'

const uuid = z.string().regex(UUID)
const numericDate = z.int().nonnegative()
const words = z.array(z.string())
export const Wire = z.object({
  iss: z.string(),
  // One string: an array would accept a token that is also meant for another audience.
  aud: z.string(),
  sub: uuid,
  user_id: uuid,
  email_id: z.string(),
  tenant_id: uuid,
  project_id: z.string(),
  client_id: z.string(),
  tenant_domain: z.string().optional(),
  token_type: z.literal('default'),
  scope: z.string().optional(),
  scopes: words.optional(),
  roles: words.optional(),
  jti: uuid,
  sid: uuid,
  auth_time: numericDate,
  amr: words,
  acr: z.string(),
  iat: numericDate,
  nbf: numericDate,
  exp: numericDate,
})
export type WireClaims = z.output<typeof Wire>
