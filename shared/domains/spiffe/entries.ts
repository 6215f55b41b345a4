// Registration entries: which workload gets which SPIFFE id. A change that another workload could profit from ends the SVIDs of before.
import { isUniqueViolation } from '#db/engine/client'
import type { TenantDb, TenantTx } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import {
  deleteEntry,
  findClientIdBySpiffeId,
  findEntriesBySelectors,
  insertEntry,
  lockEntry,
  type RegistrationEntry,
  updateEntry,
} from '#db/store/registration-entries'
import { revokeSvidsOfEntry } from '#db/store/svids'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import type { RequestCtx } from '#shared/domains/context'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { isTrustDomainName, requireParentId, requireTenantSpiffeId, spiffeIdText, trustDomainName } from './id.ts'
import { canonicalSelectors } from './selectors.ts'
import { ensureTrustDomain } from './signer.ts'

/** The longest SVID. */
export const MAX_SVID_SECONDS = 24 * 3600
export const DEFAULT_X509_SECONDS = 3600
export const DEFAULT_JWT_SECONDS = 300
/** Allows any audience. */
export const ANY_AUDIENCE = '*'

/** Members that are missing or undefined keep their value, or get their default. */
export type EntryChangeFields = { readonly [Name in keyof EntryFields]?: EntryFields[Name] | undefined }
export type EntryFields = {
  readonly spiffeId: string
  readonly parentId?: string | undefined
  readonly selectors: readonly string[]
  readonly agentId?: string | null | undefined
  readonly x509Seconds?: number | undefined
  readonly jwtSeconds?: number | undefined
  readonly audiences?: readonly string[] | undefined
  readonly admin?: boolean | undefined
  readonly downstream?: boolean | undefined
  readonly federatesWith?: readonly string[] | undefined
}

type Deps = RequestCtx

const target = (id: string) => ({ type: 'spiffe_entry', id })

/** The values of an entry for the audit log. */
const auditDetails = ({
  spiffeId,
  parentId,
  selectors,
  agentId,
  x509Seconds,
  jwtSeconds,
  audiences,
  admin,
  downstream,
  federatesWith,
}: RegistrationEntry) => ({
  spiffe_id: spiffeId,
  parent_id: parentId,
  selectors,
  agent_id: agentId,
  x509_seconds: x509Seconds,
  jwt_seconds: jwtSeconds,
  audiences,
  admin,
  downstream,
  federates_with: federatesWith,
})

type Columns = Partial<Omit<RegistrationEntry, 'tenantId' | 'id' | 'createdAt' | 'updatedAt' | 'validFrom' | 'createdBy'>>

/** @throws AppError invalid_request */
const columnsOf = (ctx: Pick<Deps, 'config'>, caller: User, fields: EntryChangeFields): Columns => {
  const { spiffeId, parentId, selectors, federatesWith, agentId, x509Seconds, jwtSeconds, audiences, admin, downstream } = fields
  if (federatesWith?.every(isTrustDomainName) === false) {
    throw new AppError('invalid_request', 'body.federates_with: is not a trust domain', { field: 'body.federates_with' })
  }
  return {
    ...(spiffeId === undefined ? {} : { spiffeId: spiffeIdText(requireTenantSpiffeId(ctx.config, caller.tenantId, spiffeId, 'body.spiffe_id')) }),
    ...(parentId === undefined ? {} : { parentId: spiffeIdText(requireParentId(ctx.config, caller.tenantId, parentId, 'body.parent_id')) }),
    ...(selectors === undefined ? {} : { selectors: [...canonicalSelectors(selectors, 'body.selectors')] }),
    ...(federatesWith === undefined ? {} : { federatesWith: [...federatesWith] }),
    ...(agentId === undefined ? {} : { agentId }),
    ...(x509Seconds === undefined ? {} : { x509Seconds }),
    ...(jwtSeconds === undefined ? {} : { jwtSeconds }),
    ...(audiences === undefined ? {} : { audiences: [...new Set(audiences)] }),
    ...(admin === undefined ? {} : { admin }),
    ...(downstream === undefined ? {} : { downstream }),
  }
}

/**
 * The client for which the entry stands: the named one, or the one that has the SPIFFE id. Its workload can act as that client, so the caller needs every
 * right that the client has.
 * @throws AppError not_found, cannot_grant, invalid_request
 */
const requireClient = async (
  t: TenantTx,
  ctx: Deps,
  grantable: GrantorPermissions,
  { spiffeId, agentId }: { readonly spiffeId: string; readonly agentId: string | null },
): Promise<string | null> => {
  const owner = await findClientIdBySpiffeId(t, spiffeId)
  if (owner !== undefined && agentId !== null && owner !== agentId) {
    throw new AppError('invalid_request', 'body.spiffe_id: belongs to another client', { field: 'body.spiffe_id' })
  }
  const id = agentId ?? owner
  if (id === undefined) return null
  const client = await findClient(t, id)
  if (client === undefined) throw new AppError('not_found')
  await requireRightsOverClient(t, ctx, grantable, client)
  return id
}

const orEntryExists = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('entry_exists', undefined, { field: 'body.spiffe_id' }, error)
    throw error
  }
}

/** Events: spiffe_entry.created. @throws AppError invalid_request, entry_exists, quota_exceeded, not_found, cannot_grant */
export const createEntry = async (ctx: Deps, caller: User, fields: EntryFields): Promise<RegistrationEntry> => {
  const columns = columnsOf(ctx, caller, fields)
  const spiffeId = columns.spiffeId ?? fields.spiffeId
  await ensureTrustDomain(ctx, caller.tenantId)
  const adding = actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const agentId = await requireClient(t, ctx, grantable, { spiffeId, agentId: fields.agentId ?? null })
    await requireQuotaRoom(t, 'entries')
    const at = ctx.clock.now()
    const row = await insertEntry(t, {
      selectors: [],
      parentId: `spiffe://${trustDomainName(caller.tenantId)}`,
      x509Seconds: DEFAULT_X509_SECONDS,
      jwtSeconds: DEFAULT_JWT_SECONDS,
      audiences: [],
      ...columns,
      id: ctx.random.id(),
      spiffeId,
      agentId,
      createdBy: caller.userId,
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    await recordEvent(t, ctx, { event: 'spiffe_entry.created', actor: byUser(caller), target: target(row.id), after: auditDetails(row) })
    return row
  })
  return orEntryExists(adding)
}

const isSame = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((value, at) => b[at] === value)
const allows = (audiences: readonly string[], audience: string): boolean => audiences.includes(ANY_AUDIENCE) || audiences.includes(audience)

/** Whether another workload, or fewer audiences, are meant from now on. */
const isNarrowed = (before: RegistrationEntry, after: RegistrationEntry): boolean =>
  before.spiffeId !== after.spiffeId ||
  before.parentId !== after.parentId ||
  before.agentId !== after.agentId ||
  !isSame(before.selectors, after.selectors) ||
  !before.audiences.every((audience) => allows(after.audiences, audience))

/**
 * Changes an entry. `check` runs on the row under its lock. Events: spiffe_entry.updated.
 * @throws AppError invalid_request, not_found, entry_exists, cannot_grant
 */
export const changeEntry = async (
  ctx: Deps,
  caller: User,
  id: string,
  changes: EntryChangeFields,
  check: (row: RegistrationEntry) => void = () => undefined,
): Promise<RegistrationEntry> => {
  const columns = columnsOf(ctx, caller, changes)
  const changing = actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const before = await lockEntry(t, id)
    if (before === undefined) throw new AppError('not_found')
    check(before)
    const named = changes.agentId === undefined ? before.agentId : changes.agentId
    // The workload of the entry may be another one from now on.
    const agentId = await requireClient(t, ctx, grantable, { spiffeId: columns.spiffeId ?? before.spiffeId, agentId: named })
    const at = ctx.clock.now()
    const changed = { ...before, ...columns, agentId }
    const ends = isNarrowed(before, changed)
    const after = await updateEntry(t, id, { ...columns, agentId, updatedAt: at, ...(ends ? { validFrom: at } : {}) })
    if (after === undefined) throw new AppError('not_found')
    if (ends) await revokeSvidsOfEntry(t, id, at, 'entry_changed')
    await recordEvent(t, ctx, {
      event: 'spiffe_entry.updated',
      actor: byUser(caller),
      target: target(id),
      before: auditDetails(before),
      after: auditDetails(after),
    })
    return after
  })
  return orEntryExists(changing)
}

/** Deletes an entry in a transaction of the caller, and ends its SVIDs. Events: spiffe_entry.deleted. @throws AppError not_found */
export const deleteEntryIn = async (t: TenantTx, ctx: Deps, caller: User, id: string): Promise<void> => {
  const before = await lockEntry(t, id)
  if (before === undefined) throw new AppError('not_found')
  const svids = await revokeSvidsOfEntry(t, id, ctx.clock.now(), 'entry_deleted')
  await deleteEntry(t, id)
  const details = { before: auditDetails(before), after: { svids } }
  await recordEvent(t, ctx, { event: 'spiffe_entry.deleted', actor: byUser(caller), target: target(id), ...details })
}

const MAX_MATCHES = 10

/**
 * The entries that a workload with these proved selectors may have, best first: those below `parentId`, then those with the most selectors, then the
 * oldest. With `onlyBelow`, no others.
 */
export const matchEntries = (
  t: TenantDb,
  selectors: readonly string[],
  { parentId, onlyBelow = false }: { readonly parentId?: string; readonly onlyBelow?: boolean } = {},
): Promise<readonly RegistrationEntry[]> =>
  selectors.length === 0 ? Promise.resolve([]) : findEntriesBySelectors(t, selectors, { parentId, onlyBelow, limit: MAX_MATCHES })

export const allowsAudience = ({ audiences }: Pick<RegistrationEntry, 'audiences'>, audience: string): boolean => allows(audiences, audience)
