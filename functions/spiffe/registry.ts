// AuthSec's workload registry: registration entries with one selector, the label of an owner.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { findEntry, findEntryBySpiffeId, listEntriesByOffset, type RegistrationEntry } from '#db/store/registration-entries'
import { ANY_AUDIENCE, changeEntry, createEntry, deleteEntryIn, MAX_SVID_SECONDS } from '#shared/domains/spiffe/entries'
import { trustDomainName } from '#shared/domains/spiffe/id'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { NewRegistryWorkload, RegistryDeleted, RegistryList, RegistryWorkload, RegistryWorkloadChange } from './registry.schema.ts'

type Out = z.input<typeof RegistryWorkload>

const OWNER = 'k8s:pod-label:owner:'
const MAX_WORKLOADS = 1000

const ownerOf = ({ selectors }: RegistrationEntry): string | undefined => selectors.find((one) => one.startsWith(OWNER))?.slice(OWNER.length)
const toResponse = (row: RegistrationEntry): Out => ({ id: row.id, spiffe_id: row.spiffeId, owner: ownerOf(row) ?? '' })

const unknown = (): AppError => new AppError('not_found', 'Workload not found')

/** By its id or its SPIFFE id; entries without an owner belong to the other registers. @throws AppError not_found */
const requireWorkload = async (t: TenantDb, id: string): Promise<RegistrationEntry> => {
  const uuid = parseUuid(id)
  const row = uuid === undefined ? await findEntryBySpiffeId(t, id) : await findEntry(t, uuid)
  if (row === undefined || ownerOf(row) === undefined) throw unknown()
  return row
}

/** @throws AppError invalid_request, entry_exists, quota_exceeded, not_found, cannot_grant */
export const addWorkload = async (ctx: Ctx, caller: User, { spiffe_id: named, owner }: z.output<typeof NewRegistryWorkload>): Promise<Out> => {
  const spiffeId = named.startsWith('/') ? `spiffe://${trustDomainName(caller.tenantId)}${named}` : named
  const row = await createEntry(ctx, caller, {
    spiffeId,
    selectors: [`${OWNER}${owner}`],
    audiences: [ANY_AUDIENCE],
    jwtSeconds: MAX_SVID_SECONDS,
  })
  return toResponse(row)
}

/** @throws AppError not_found, cannot_grant, invalid_request */
export const changeWorkload = async (ctx: Ctx, caller: User, id: string, { owner }: z.output<typeof RegistryWorkloadChange>): Promise<Out> => {
  const { id: entryId, selectors } = await requireWorkload(forTenant(ctx.db, caller.tenantId), id)
  const kept = selectors.filter((one) => !one.startsWith(OWNER))
  try {
    return toResponse(await changeEntry(ctx, caller, entryId, { selectors: [...kept, `${OWNER}${owner}`] }))
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') throw unknown()
    throw error
  }
}

/** @throws AppError not_found */
export const deleteWorkload = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof RegistryDeleted>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await deleteEntryIn(t, ctx, caller, (await requireWorkload(t, id)).id)
    return { message: 'Workload deleted' }
  })

export const findWorkloads = async (ctx: Ctx, caller: User): Promise<z.input<typeof RegistryList>> => {
  const { entries } = await listEntriesByOffset(forTenant(ctx.db, caller.tenantId), { selectorPrefix: OWNER }, MAX_WORKLOADS, 0)
  return entries.map(toResponse)
}
