// Wire shapes of a person's own passkeys, and of copy alarms.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

/** Signals for password managers to forget and rename passkeys (WebAuthn Level 3 section 5.1.10). */
const Accepted = z.object({
  rp_id: z.string(),
  /** The user handle. */
  user_id: z.string(),
  all_accepted_credential_ids: z.array(z.string()),
  name: z.string(),
  display_name: z.string(),
})

const Passkey = z.object({
  id: z.string(),
  credential_id: z.string(),
  name: z.string(),
  /** The provider of the passkey, where it identifies itself. */
  provider: z.string().optional(),
  rp_id: z.string(),
  transports: z.array(z.string()),
  /** Whether it can be backed up, and whether it is, on more than one device. */
  synced: z.boolean(),
  backed_up: z.boolean(),
  user_verified: z.boolean(),
  discoverable: z.boolean().optional(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().optional(),
  /** Since when it is blocked because it may have been copied. */
  counter_alarm_at: z.iso.datetime().optional(),
})

export const Passkeys = z.object({ passkeys: z.array(Passkey), signals: z.array(Accepted) }).meta({ id: 'Passkeys' })
export const PasskeyPath = z.object({ id: Id })
export const RenamePasskey = z.object({ name: z.string().trim().min(1).max(100) }).meta({ id: 'RenamePasskey' })
export const RemovePasskey = z.object({ accept_weaker: z.stringbool().default(false) })
export const PasskeyRemoved = z
  .object({ success: z.literal(true), unknown: z.object({ rp_id: z.string(), credential_id: z.string() }), signals: z.array(Accepted) })
  .meta({ id: 'PasskeyRemoved' })
export const CounterAlarms = z
  .object({
    alarms: z.array(z.object({ id: z.string(), user_id: z.string(), email: z.string(), name: z.string(), at: z.iso.datetime() })),
  })
  .meta({ id: 'CounterAlarms' })
