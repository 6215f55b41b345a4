// An audit event as its readers get it, with its details opened.

import type { TenantDb } from '#db/engine/tenant'
import type { AuditRow } from '#db/store/audit-events'
import type { BaseCtx } from '#shared/domains/context'
import type { SealedDetails } from '#shared/platform/audit/audit-log'
import { commitOf, isAuthentic } from '#shared/platform/audit/entry'
import { SealError } from '#shared/platform/crypto/seal'
import { openDetails, readDetails } from './details.ts'

type Deps = Pick<BaseCtx, 'keyring' | 'hash' | 'log'>
type Opened = { readonly details: SealedDetails; readonly salt?: string; readonly erased: boolean; readonly damaged: boolean }

/** How many rows are opened concurrently; each may need the key of another person. */
const OPENED_AT_ONCE = 10

/** Returns a tampered event as damaged and logs it: one damaged event must not hide the others. */
const openRow = async (ctx: Deps, t: TenantDb, row: AuditRow): Promise<Opened> => {
  const unreadable = { details: {}, erased: false, damaged: false }
  try {
    if (row.mac !== null && !isAuthentic(ctx.hash, row)) throw new SealError('A column of an audit event was changed.')
    const plain = await openDetails(ctx, t, row)
    if (plain === undefined) return { ...unreadable, erased: row.sealed !== null || row.detailsCommit !== null }
    const { salt, ...details } = readDetails(plain)
    return { ...unreadable, details, ...(salt === undefined ? {} : { salt }) }
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    ctx.log.error('audit_event_damaged', error, { tenant_id: t.tenantId, event_id: row.id })
    return { ...unreadable, damaged: true }
  }
}

const present = (row: AuditRow, { details, erased, damaged }: Opened) => ({
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
})

export const presentEvent = async (ctx: Deps, t: TenantDb, row: AuditRow) => present(row, await openRow(ctx, t, row))
export type PresentedEvent = Awaited<ReturnType<typeof presentEvent>>

const inSteps = async <T>(rows: readonly AuditRow[], one: (row: AuditRow) => Promise<T>): Promise<T[]> => {
  const out: T[] = []
  for (let at = 0; at < rows.length; at += OPENED_AT_ONCE) out.push(...(await Promise.all(rows.slice(at, at + OPENED_AT_ONCE).map(one))))
  return out
}

export const presentEvents = (ctx: Deps, t: TenantDb, rows: readonly AuditRow[]): Promise<PresentedEvent[]> =>
  inSteps(rows, (row) => presentEvent(ctx, t, row))

const hex = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('hex'))

/**
 * Events as lines of an export: with what a verifier needs to compute each leaf. `subject_id` is needed by a restore, because that person may have been erased since;
 * `salt` is known while the details are.
 */
export const exportedEvents = (ctx: Deps, t: TenantDb, rows: readonly AuditRow[]) =>
  inSteps(rows, async (row) => {
    const opened = await openRow(ctx, t, row)
    return { ...present(row, opened), subject_id: row.subjectId, details_digest: hex(commitOf(row)), salt: opened.salt ?? null, mac: hex(row.mac) }
  })
