// What counts as issued: an SVID is signed first, and counts once its row and its audit event are committed, together with what it was issued for.
import { asTenantId, atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { insertIssuedSvid, type NewSvid, revokeSvid } from '#db/store/svids'
import type { BaseCtx } from '#shared/domains/context'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { type Actor, prepareAuditEvents, recordEvent } from '#shared/platform/audit/audit-log'
import { MAX_SVID_SECONDS } from './entries.ts'

export type IssueCtx = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'config' | 'signingKeys'> & { readonly request?: RequestInfo }

export type IssueOptions = {
  /** Who causes it; the audit event names it. */
  readonly actor: Actor
  /** The attested process of an agent. */
  readonly instanceId?: string | undefined
  /** Runs in the transaction that makes the SVID count, before it: consumes what the SVID is issued for. When it throws, nothing is issued. */
  readonly within?: (t: TenantTx) => Promise<void>
}

/** A series of renewals: when its first token was issued, and the token that the next one replaces. */
export type SvidSeries = { readonly firstIssuedAt: Date; readonly replaces: string }

export type SvidRecord = {
  readonly row: Omit<NewSvid, 'firstIssuedAt' | 'spiffeId' | 'entryId' | 'instanceId'>
  /** Whether a key of the deployment signed it, not one of the trust domain. */
  readonly isOfDeployment?: true
  readonly details?: Readonly<Record<string, unknown>>
  readonly series?: SvidSeries | undefined
}
/** A signed SVID that does not count yet. */
export type SignedSvid<Result> = { readonly result: Result; readonly record: SvidRecord }

export type IssuedToken = {
  readonly id: string
  readonly token: string
  readonly spiffeId: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** The requested lifetime in seconds, or the standard one, within what the entry allows. */
export const lifetime = (requested: number | undefined, standard: number, most: number): number =>
  Math.max(1, Math.min(requested ?? standard, most, MAX_SVID_SECONDS))

const svidTarget = (id: string) => ({ type: 'svid', id })

/** Ends the token that is renewed. Of two renewals of the same token one fails. @throws AppError invalid_token */
const endReplaced = async (t: TenantTx, ctx: IssueCtx, { replaces }: SvidSeries, actor: Actor): Promise<void> => {
  if (!(await revokeSvid(t, replaces, ctx.clock.now(), 'renewed'))) throw new AppError('invalid_token')
  await recordEvent(t, ctx, { event: 'svid.revoked', actor, target: svidTarget(replaces), after: { reason: 'renewed' } })
}

/** Writes an SVID and its event in one statement. False when its entry, its agent or its key no longer stands, or when it is too late for the event. */
const insertWithEvent = async (ctx: IssueCtx, t: TenantDb, entry: RegistrationEntry, options: IssueOptions, record: SvidRecord): Promise<boolean> => {
  const { row, series, details, isOfDeployment = false } = record
  const { actor, instanceId } = options
  const { spiffeId, id: entryId, validFrom } = entry
  const after = { kind: row.kind, spiffe_id: spiffeId, entry_id: entryId, expires_at: row.expiresAt.toISOString(), ...details }
  const events = await prepareAuditEvents(t, ctx, { event: 'svid.issued', actor, target: svidTarget(row.id), after })
  const issued = { ...row, spiffeId, entryId, instanceId: instanceId ?? null, firstIssuedAt: series?.firstIssuedAt ?? row.issuedAt }
  return insertIssuedSvid(t, issued, { spiffeId, entryId, validFrom, isOfDeployment, now: ctx.clock.now() }, events)
}

/** Writes SVIDs of one entry and their events. Events: svid.issued, and svid.revoked for a renewal. @throws AppError not_found, invalid_token */
export const recordSvids = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions, records: readonly SvidRecord[]): Promise<void> => {
  const t = forTenant(ctx.db, asTenantId(entry.tenantId))
  const [only, ...others] = records
  const isAlone = only !== undefined && others.length === 0 && only.series === undefined && options.within === undefined
  if (isAlone && (await insertWithEvent(ctx, t, entry, options, only))) return
  await atomically(t, async (tx) => {
    await options.within?.(tx)
    for (const record of records) {
      if (record.series !== undefined) await endReplaced(tx, ctx, record.series, options.actor)
      if (!(await insertWithEvent(ctx, tx, entry, options, record))) throw new AppError('not_found')
    }
  })
}

/** Writes one signed SVID. */
export const recordSigned = async <Result>(
  ctx: IssueCtx,
  entry: RegistrationEntry,
  options: IssueOptions,
  { result, record }: SignedSvid<Result>,
): Promise<Result> => {
  await recordSvids(ctx, entry, options, [record])
  return result
}

/** Revokes an SVID in a transaction of the caller; false when it is unknown, expired or revoked. Events: svid.revoked. */
export const revokeSvidIn = async (t: TenantTx, ctx: IssueCtx, id: string, reason: string, actor: Actor): Promise<boolean> => {
  if (!(await revokeSvid(t, id, ctx.clock.now(), reason))) return false
  await recordEvent(t, ctx, { event: 'svid.revoked', actor, target: svidTarget(id), after: { reason } })
  return true
}
