// The record as a stream: oldest first, from a cursor, for a system that keeps asking. Nothing is left out and nothing comes twice.
import { setTimeout as sleep } from 'node:timers/promises'
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findEventsInOrder } from '#db/store/audit-stream'
import { showEvents } from '#shared/domains/audit/show'
import { AppError } from '#shared/kernel/errors'
import { settledBefore } from '#shared/platform/audit/horizon'
import { holds, type User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { AuditStream, StreamQuery } from './stream.schema.ts'

const FIRST_ID = '00000000-0000-0000-0000-000000000000'
const PAUSE_MS = 1000

/** What reading the record takes. */
export const TO_READ = ['admin:access', 'audit:read'] as const

/** Whoever waited may have been stopped meanwhile: what came since is told only to who may still read it. @throws AppError invalid_token, insufficient_scope */
const requireStill = async (ctx: Ctx): Promise<void> => {
  const [, token = ''] = (ctx.request.header('authorization') ?? '').split(' ')
  const caller = await ctx.principals.resolve(token)
  const missing = TO_READ.find((permission) => !holds(caller, permission))
  if (missing !== undefined) throw new AppError('insufficient_scope', `The permission ${missing} is missing.`)
}

/**
 * Events after the cursor, and the cursor to go on from. A cursor is the id of the last event that was handed over; when there was none it stays, so a client
 * that stores `next` after it has stored the events misses nothing, whenever it dies.
 */
export const streamEvents = async (ctx: Ctx, caller: User, query: z.output<typeof StreamQuery>): Promise<z.input<typeof AuditStream>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const after = query.after?.toLowerCase() ?? FIRST_ID
  const events = query.event === undefined ? {} : { events: [query.event] }
  for (let left = query.wait; ; left--) {
    const before = await settledBefore(ctx)
    const rows = before === undefined ? [] : await findEventsInOrder(t, { after, before, limit: query.limit, ...events })
    const last = rows.at(-1)
    if (last !== undefined) {
      if (left < query.wait) await requireStill(ctx)
      return { events: await showEvents(ctx, t, rows), next: last.id }
    }
    if (left <= 0) return { events: [], next: after }
    await sleep(PAUSE_MS)
  }
}
