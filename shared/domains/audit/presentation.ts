// An audit event as its readers get it, with its details opened.

import type { TenantDb } from '#db/engine/tenant'
import type { AuditRow } from '#db/store/audit-events'
import type { BaseCtx } from '#shared/domains/context'
import { auditContext, type SealedDetails } from '#shared/platform/audit/audit-log'
import { SealError } from '#shared/platform/crypto/seal'
import { readDetails } from './details.ts'

type Deps = Pick<BaseCtx, 'keyring' | 'log'>
type Opened = { readonly details: SealedDetails; readonly erased: boolean; readonly damaged: boolean }

/** How many rows are opened concurrently; each may need the key of another person. */
const OPENED_AT_ONCE = 10

/** Returns a tampered event as damaged and logs it: one damaged event must not hide the others. */
const openDetails = async (ctx: Deps, t: TenantDb, row: AuditRow): Promise<Opened> => {
  const unreadable = { details: {}, erased: false, damaged: false }
  if (row.sealed === null) return unreadable
  try {
    const plain = await ctx.keyring.open(t, row.subjectId, row.sealed, auditContext(row.id))
    return plain === undefined ? { ...unreadable, erased: true } : { ...unreadable, details: readDetails(plain) }
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    ctx.log.error('audit_event_damaged', error, { tenant_id: t.tenantId, event_id: row.id })
    return { ...unreadable, damaged: true }
  }
}

export const presentEvent = async (ctx: Deps, t: TenantDb, row: AuditRow) => {
  const { details, erased, damaged } = await openDetails(ctx, t, row)
  return {
    id: row.id,
    at: row.at.toISOString(),
    event: row.event,
    outcome: row.outcome,
    reason: row.reason,
    actor: { type: row.actorType, id: row.actorId, client_id: row.clientId, session_id: row.sessionId, on_behalf_of: row.onBehalfOf },
    target: row.targetType === null || row.targetId === null ? null : { type: row.targetType, id: row.targetId },
    request_id: row.requestId,
    route: row.route,
    count: row.count,
    address: details.address ?? null,
    user_agent: details.user_agent ?? null,
    before: details.before ?? null,
    after: details.after ?? null,
    erased,
    damaged,
  }
}
export type PresentedEvent = Awaited<ReturnType<typeof presentEvent>>

export const presentEvents = async (ctx: Deps, t: TenantDb, rows: readonly AuditRow[]): Promise<PresentedEvent[]> => {
  const out: PresentedEvent[] = []
  for (let at = 0; at < rows.length; at += OPENED_AT_ONCE) {
    out.push(...(await Promise.all(rows.slice(at, at + OPENED_AT_ONCE).map((row) => presentEvent(ctx, t, row)))))
  }
  return out
}
