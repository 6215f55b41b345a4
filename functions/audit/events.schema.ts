// Wire shapes of the audit log.
import * as z from 'zod'
import { AUDIT_EVENTS } from '#shared/platform/audit/events'

/** No event is older, and PostgreSQL has no year 0. */
const FIRST_YEAR = 1970
const Moment = z.iso.datetime({ offset: true }).refine((text) => new Date(text).getUTCFullYear() >= FIRST_YEAR, `must be ${FIRST_YEAR} or later`)

const filter = {
  event: z.enum(AUDIT_EVENTS).optional(),
  outcome: z.enum(['success', 'refused']).optional(),
  actor_id: z.uuid().optional(),
  target_id: z.string().min(1).max(200).optional(),
  from: Moment.optional(),
  to: Moment.optional(),
}

export const AuditQuery = z.strictObject({ ...filter, after: z.uuid().optional(), limit: z.coerce.number().int().min(1).max(200).default(50) })
export const ExportQuery = z.strictObject(filter)

const details = z.record(z.string(), z.unknown())
export const AuditEventOut = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    event: z.string(),
    outcome: z.enum(['success', 'refused']),
    reason: z.string().nullable(),
    actor: z.object({
      type: z.string(),
      id: z.string().nullable(),
      client_id: z.string().nullable(),
      session_id: z.string().nullable(),
      on_behalf_of: z.string().nullable(),
    }),
    target: z.object({ type: z.string(), id: z.string() }).nullable(),
    request_id: z.string().nullable(),
    route: z.string().nullable(),
    count: z.int(),
    /** Null when the details belong to a person who was erased. */
    address: z.string().nullable(),
    user_agent: z.string().nullable(),
    before: details.nullable(),
    after: details.nullable(),
    /** The person was erased: details encrypted under their key are unreadable. */
    erased: z.boolean(),
    /** The encrypted details cannot be decrypted: they were changed or moved in the database. */
    damaged: z.boolean(),
  })
  .meta({ id: 'AuditEvent' })
export const AuditPage = z.object({ events: z.array(AuditEventOut), next: z.uuid().nullable() }).meta({ id: 'AuditPage' })
