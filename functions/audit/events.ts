// Reads the audit log: pages by filter and cursor, or an export as JSON lines.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { type AuditFilter, findAuditEvents } from '#db/store/audit-events'
import { exportedEvents, presentEvents } from '#shared/domains/audit/presentation'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { AuditPage, AuditQuery, ExportQuery } from './events.schema.ts'
import type { Ctx } from './group.ts'

const EXPORT_PAGE_SIZE = 500

const filterOf = (query: z.output<typeof ExportQuery>): Omit<AuditFilter, 'limit'> => ({
  ...(query.event === undefined ? {} : { event: query.event }),
  ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
  ...(query.actor_id === undefined ? {} : { actorId: query.actor_id }),
  ...(query.target_id === undefined ? {} : { targetId: query.target_id }),
  ...(query.from === undefined ? {} : { from: new Date(query.from) }),
  ...(query.to === undefined ? {} : { to: new Date(query.to) }),
})

/** Returns a page, newest first; `next` is the cursor of the following page. Later events are newer than the cursor, so they do not shift the pages. */
export const queryEvents = async (ctx: Ctx, caller: User, query: z.output<typeof AuditQuery>): Promise<z.input<typeof AuditPage>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const after = query.after === undefined ? {} : { after: query.after }
  const rows = await findAuditEvents(t, { ...filterOf(query), ...after, limit: query.limit + 1 })
  const page = rows.slice(0, query.limit)
  return { events: await presentEvents(ctx, t, page), next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null }
}

/** Streams all matching events as JSON lines, newest first, page by page to bound memory. The export is itself an audit event. */
export const exportEvents = async (ctx: Ctx, caller: User, query: z.output<typeof ExportQuery>): Promise<ReadableStream<Uint8Array>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const target = { type: 'tenant', id: caller.tenantId }
  await atomically(t, (tx) => recordEvent(tx, ctx, { event: 'audit.exported', actor: byUser(caller), target, after: { filter: query } }))
  const encoder = new TextEncoder()
  let after: string | undefined
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const rows = await findAuditEvents(t, { ...filterOf(query), limit: EXPORT_PAGE_SIZE, ...(after === undefined ? {} : { after }) })
      const lines = (await exportedEvents(ctx, t, rows)).map((event) => `${JSON.stringify(event)}\n`)
      if (lines.length > 0) controller.enqueue(encoder.encode(lines.join('')))
      after = rows.at(-1)?.id
      if (rows.length < EXPORT_PAGE_SIZE) controller.close()
    },
  })
}
