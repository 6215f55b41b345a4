// The audit log as a stream for systems that poll it: oldest first, from a cursor, without gaps or repeats.
import { setTimeout as sleep } from 'node:timers/promises'
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findEventsInOrder } from '#db/store/audit-stream'
import { presentEvents } from '#shared/domains/audit/presentation'
import { AppError } from '#shared/kernel/errors'
import { auditWatermark } from '#shared/platform/audit/watermark'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { AuditStream, StreamQuery } from './stream.schema.ts'

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const PAUSE_MS = 1000

/** The permissions to read the audit log. */
export const AUDIT_READ_PERMISSIONS = ['admin:access', 'audit:read'] as const

/** Checks the caller again after a wait, because the session or a permission may have ended. @throws AppError invalid_token, insufficient_scope */
const requireAccessStill = async (ctx: Ctx): Promise<void> => {
  const [, token = ''] = (ctx.request.header('authorization') ?? '').split(' ')
  const caller = await ctx.principals.resolve(token)
  const missing = AUDIT_READ_PERMISSIONS.find((permission) => !hasPermission(caller, permission))
  if (missing !== undefined) throw new AppError('insufficient_scope', `The permission ${missing} is missing.`)
}

/**
 * Returns the events after the cursor, and the cursor to continue from: the id of the last event, or the given cursor when there are none. A client that stores
 * `next` after the events misses nothing after a crash.
 */
export const streamEvents = async (ctx: Ctx, caller: User, query: z.output<typeof StreamQuery>): Promise<z.input<typeof AuditStream>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const after = query.after?.toLowerCase() ?? FIRST_ID
  const events = query.event === undefined ? {} : { events: [query.event] }
  for (let secondsLeft = query.wait; ; secondsLeft--) {
    const before = await auditWatermark(ctx)
    const rows = before === undefined ? [] : await findEventsInOrder(t, { after, before, limit: query.limit, ...events })
    const last = rows.at(-1)
    if (last !== undefined) {
      if (secondsLeft < query.wait) await requireAccessStill(ctx)
      return { events: await presentEvents(ctx, t, rows), next: last.id }
    }
    if (secondsLeft <= 0) return { events: [], next: after }
    await sleep(PAUSE_MS)
  }
}
