// Wire shapes of the audit log as a stream.
import * as z from 'zod'
import { AUDIT_EVENTS } from '#shared/platform/audit/events'
import { AuditEventOut } from './events.schema.ts'

export const StreamQuery = z.strictObject({
  after: z.uuid().optional().meta({ description: '`next` of the previous response. Without it the stream starts at the oldest event.' }),
  event: z.enum(AUDIT_EVENTS).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  wait: z.coerce.number().int().min(0).max(25).default(0).meta({ description: 'Seconds to wait for an event when there is none.' }),
})
export const AuditStream = z.object({ events: z.array(AuditEventOut), next: z.uuid() }).meta({ id: 'AuditStream' })
