// Restores the audit log from its own export: missing events are inserted, existing ones stay. Details are sealed again for their subject; details of a deleted
// person stay unreadable, because an export must not undo an erasure.
import * as z from 'zod'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import type { NewAuditRow } from '#db/store/audit-events'
import { insertMissingAuditEvents } from '#db/store/audit-restore'
import { findUser } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { type AuditCtx, bySystem, recordEvent, type SealedDetails } from '#shared/platform/audit/audit-log'
import { commitDetails, entryMac, entryText, leafHash, sealContext } from '#shared/platform/audit/entry'
import { constantTimeEqual } from '#shared/platform/crypto/equal'

type Deps = Pick<BaseCtx, 'db'> & AuditCtx

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const details = z.record(z.string(), z.unknown()).nullable()
const Line = z.strictObject({
  id: z.uuid({ version: 'v7' }),
  at: z.iso.datetime().transform((text) => new Date(text)),
  event: z.string().min(1).max(100),
  outcome: z.enum(['success', 'refused']),
  reason: z.string().nullable(),
  actor: z.strictObject({
    type: z.enum(['user', 'client', 'agent', 'system', 'anonymous']),
    id: z.uuid().nullable(),
    client_id: z.uuid().nullable(),
    session_id: z.uuid().nullable(),
    on_behalf_of: z.uuid().nullable(),
  }),
  target: z.strictObject({ type: z.string(), id: z.string() }).nullable(),
  request_id: z.string().nullable(),
  route: z.string().nullable(),
  count: z.int().min(1),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  before: details,
  after: details,
  erased: z.boolean(),
  damaged: z.boolean(),
  /** The person that the details are about; older exports omit it. */
  subject_id: z.uuid().optional(),
  /** What the row's leaf and MAC are computed from; older exports omit them. */
  details_digest: digest.nullish(),
  salt: z.base64url().nullish(),
  mac: digest.nullish(),
})
type Line = z.output<typeof Line>

type NumberedLine = { readonly line: Line; readonly number: number }

export class RestoreError extends Error {}

/** An id (UUID v7) carries the time of the event; one that differs by more than this is forged. */
const MAX_CLOCK_GAP_MS = 60_000
const lineOf = (text: string, number: number): Line => {
  let parsed: Line
  try {
    parsed = Line.parse(JSON.parse(text))
  } catch {
    throw new RestoreError(`line ${number} is not an event of an export`)
  }
  const made = Number.parseInt(parsed.id.replaceAll('-', '').slice(0, 12), 16)
  if (Math.abs(made - parsed.at.getTime()) > MAX_CLOCK_GAP_MS) throw new RestoreError(`line ${number}: the id and the time of the event disagree`)
  return parsed
}

const subjectOf = ({ actor, target, subject_id }: Line): string | undefined =>
  subject_id ?? (target?.type === 'user' ? target.id : undefined) ?? (actor.type === 'user' ? actor.id : actor.on_behalf_of) ?? undefined

const detailsOf = ({ address, user_agent, before, after }: Line): SealedDetails => ({
  ...(address === null ? {} : { address }),
  ...(user_agent === null ? {} : { user_agent }),
  ...(before === null ? {} : { before }),
  ...(after === null ? {} : { after }),
})

/** The text of the details, which must have the digest that the MAC covers. */
const textOf = (line: Line, number: number, plain: SealedDetails, salt: string): string => {
  const { text, commit } = commitDetails(plain, Buffer.from(salt, 'base64url'))
  if (line.mac != null && Buffer.from(commit).toString('hex') !== line.details_digest)
    throw new RestoreError(`line ${number}: the details are not the ones that were written`)
  return text
}

const bytes = (hex: string | null | undefined): Uint8Array | null => (hex == null ? null : new Uint8Array(Buffer.from(hex, 'hex')))

const rowOf = async (t: TenantTx, ctx: Deps, { line, number }: NumberedLine, exists: (id: string) => Promise<boolean>): Promise<NewAuditRow> => {
  const plain = detailsOf(line)
  const subjectId = subjectOf(line) ?? t.tenantId
  const readable = Object.keys(plain).length > 0 && (subjectId === t.tenantId || (await exists(subjectId)))
  const columns = {
    id: line.id,
    at: line.at,
    event: line.event,
    outcome: line.outcome,
    reason: line.reason,
    actorType: line.actor.type,
    actorId: line.actor.id,
    onBehalfOf: line.actor.on_behalf_of,
    clientId: line.actor.client_id,
    sessionId: line.actor.session_id,
    targetType: line.target?.type ?? null,
    targetId: line.target?.id ?? null,
    requestId: line.request_id,
    route: line.route,
    count: line.count,
    subjectId,
    detailsCommit: line.mac == null ? null : bytes(line.details_digest),
  }
  const mac = bytes(line.mac)
  const leaf = leafHash(entryText(t.tenantId, columns, 1))
  if (mac !== null && !constantTimeEqual(mac, entryMac(ctx.hash, t.tenantId, leaf)))
    throw new RestoreError(`line ${number} was changed after the event was written, or another deployment wrote it`)
  if (!readable) return { ...columns, mac, sealed: null }
  const text = line.salt == null ? JSON.stringify(plain) : textOf(line, number, plain, line.salt)
  return { ...columns, mac, sealed: await ctx.keyring.seal(t, subjectId, text, sealContext(line.id, mac === null ? undefined : leaf)) }
}

const BATCH = 500

export type Restored = { readonly read: number; readonly restored: number }

/**
 * Restores the lines of `GET /audit/export`, in any order. Each batch commits together with an event that counts the restored rows.
 * @throws RestoreError naming the line; earlier batches stay committed
 */
export const restoreEvents = async (ctx: Deps, tenantId: TenantId, lines: AsyncIterable<string>): Promise<Restored> => {
  const result = { read: 0, restored: 0 }
  const write = (batch: readonly NumberedLine[]): Promise<number> =>
    atomically(forTenant(ctx.db, tenantId), async (t) => {
      const people = new Map<string, Promise<boolean>>()
      const exists = (id: string): Promise<boolean> => {
        const known = people.get(id) ?? findUser(t, id).then((user) => user !== undefined)
        people.set(id, known)
        return known
      }
      const rows: NewAuditRow[] = []
      for (const one of batch) rows.push(await rowOf(t, ctx, one, exists))
      const restored = await insertMissingAuditEvents(t, rows)
      if (restored > 0) await recordEvent(t, ctx, { event: 'audit.restored', actor: bySystem, after: { restored, read: batch.length } })
      return restored
    })
  let batch: NumberedLine[] = []
  const flush = async (): Promise<void> => {
    result.restored += await write(batch)
    batch = []
  }
  for await (const text of lines) {
    if (text.trim() === '') continue
    result.read += 1
    batch.push({ line: lineOf(text, result.read), number: result.read })
    if (batch.length === BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  return result
}
