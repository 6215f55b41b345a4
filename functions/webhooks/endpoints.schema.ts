// Wire shapes of webhooks.
import * as z from 'zod'
import { AUDIT_EVENTS } from '#shared/platform/audit/events'

const events = z
  .array(z.enum([...AUDIT_EVENTS, '*']))
  .min(1)
  .max(AUDIT_EVENTS.length + 1)
  .meta({ description: 'Names of audit events; `*` means all, including future ones.' })
const url = z.string().min(1).max(2048).meta({ description: 'https, an ASCII host name (IDNA A-labels), port 443 or 8443.' })
const description = z.string().max(200)
const include_origin = z.boolean().meta({ description: 'Whether messages contain the IP address and user agent of the request.' })

export const NewWebhook = z
  .strictObject({ url, events, description: description.default(''), include_origin: include_origin.default(false) })
  .meta({ id: 'NewWebhook' })
export const WebhookChanges = z
  .strictObject({
    url: url.optional(),
    events: events.optional(),
    description: description.optional(),
    include_origin: include_origin.optional(),
    active: z.boolean().optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({ id: 'WebhookChanges' })

export const WebhookPath = z.strictObject({ webhook_id: z.uuid() })

const shape = {
  id: z.uuid(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()),
  include_origin: z.boolean(),
  active: z.boolean(),
  /** Why it was disabled automatically. */
  disabled_reason: z.enum(['gone', 'failing']).nullable(),
  /** Position in the audit log: all events up to it were delivered. */
  cursor: z.uuid(),
  last_status: z.int().nullable(),
  last_failure: z.string().nullable(),
  last_delivered_at: z.iso.datetime().nullable(),
  /** Failed attempts since the last success. */
  failures: z.int(),
  failing_since: z.iso.datetime().nullable(),
  /** Until when messages are also signed with the previous secret. */
  previous_secret_valid_until: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}
export const Webhook = z.object(shape).meta({ id: 'Webhook' })
export const WebhookWithSecret = z
  .object({ ...shape, secret: z.string().meta({ description: '`whsec_` and base64. Disclosed only in this response.' }) })
  .meta({ id: 'WebhookWithSecret' })
export const Webhooks = z.object({ webhooks: z.array(Webhook) }).meta({ id: 'Webhooks' })

const DAY = 86_400
export const WebhookSecretRotation = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(7 * DAY)
      .default(DAY),
  })
  .meta({ id: 'WebhookRotation' })

export const TestOutcome = z
  .object({ delivered: z.boolean(), status: z.int().nullable(), failure: z.string().nullable() })
  .meta({ id: 'WebhookTestOutcome' })

export const WebhookReplay = z
  .strictObject({
    after: z.uuid().optional().meta({ description: 'The id of the last event that is not sent again.' }),
    from: z.iso.datetime({ offset: true }).optional().meta({ description: 'The time from which all events are sent again.' }),
  })
  .refine(({ after, from }) => (after === undefined) !== (from === undefined), 'either after or from')
  .meta({ id: 'WebhookReplay', examples: [{ from: '2026-01-01T00:00:00Z' }] })
