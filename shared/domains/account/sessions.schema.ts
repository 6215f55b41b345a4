// Wire shapes of a person's sessions.
import * as z from 'zod'

export const SessionPath = z.strictObject({ session_id: z.uuid() })

export const AccountSession = z
  .object({
    id: z.uuid(),
    current: z.boolean(),
    device: z.string(),
    address: z.string(),
    /** The location of the address, from the edge in front of this server; empty without one. */
    place: z.string(),
    amr: z.array(z.string()),
    acr: z.string(),
    auth_time: z.iso.datetime(),
    created_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'AccountSession' })
export const AccountSessions = z.object({ sessions: z.array(AccountSession) }).meta({ id: 'AccountSessions' })
export const RevokedSessions = z.object({ revoked: z.int() }).meta({ id: 'SessionsRevoked' })
