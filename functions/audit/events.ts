// Reading the record: by filter and cursor, or all of it as JSON lines.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { type AuditFilter, findAuditEvents } from '#db/store/audit-events'
import { showEvents } from '#shared/domains/audit/show'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import type { AuditPage, AuditQuery, ExportQuery } from './events.schema.ts'
import type { Ctx } from './group.ts'

const PAGE = 500

const filterOf = (query: z.output<typeof ExportQuery>): Omit<AuditFilter, 'limit'> => ({
  ...(query.event === undefined ? {} : { event: query.event }),
  ...(query.outcome === undefined ? {} : { outcome: query.outcome }),
  ...(query.actor_id === undefined ? {} : { actorId: query.actor_id }),
  ...(query.target_id === undefined ? {} : { targetId: query.target_id }),
  ...(query.from === undefined ? {} : { from: new Date(query.from) }),
  ...(query.to === undefined ? {} : { to: new Date(query.to) }),
})

/** Newest first; `next` is the cursor of the following page. Events that come meanwhile are newer than the cursor and move nothing. */
export const queryEvents = async (ctx: Ctx, caller: User, query: z.output<typeof AuditQuery>): Promise<z.input<typeof AuditPage>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const after = query.after === undefined ? {} : { after: query.after }
  const rows = await findAuditEvents(t, { ...filterOf(query), ...after, limit: query.limit + 1 })
  const page = rows.slice(0, query.limit)
  return { events: await showEvents(ctx, t, page), next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null }
}

/** All that fits the filter, as JSON lines, newest first; read page by page, so that memory stays bounded. That it was exported is in the record itself. */
export const exportEvents = async (ctx: Ctx, caller: User, query: z.output<typeof ExportQuery>): Promise<ReadableStream<Uint8Array>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const target = { type: 'tenant', id: caller.tenantId }
  await atomically(t, (tx) => record(tx, ctx, { event: 'audit.exported', actor: byUser(caller), target, after: { filter: query } }))
  const encoder = new TextEncoder()
  let after: string | undefined
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const rows = await findAuditEvents(t, { ...filterOf(query), limit: PAGE, ...(after === undefined ? {} : { after }) })
      const shown = await showEvents(ctx, t, rows)
      // Whose the details are is needed to take them back: that person may be erased by then.
      const lines = shown.map((event, at) => `${JSON.stringify({ ...event, subject_id: rows[at]?.subjectId })}\n`)
      if (lines.length > 0) controller.enqueue(encoder.encode(lines.join('')))
      after = rows.at(-1)?.id
      if (rows.length < PAGE) controller.close()
    },
  })
}
