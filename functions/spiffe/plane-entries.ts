// Registration entries in AuthSec's identity plane: the same entries as under /spiffe, in AuthSec's form.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { findEntry, listEntriesByOffset, type RegistrationEntry } from '#db/store/registration-entries'
import { ANY_AUDIENCE, changeEntry, createEntry, DEFAULT_X509_SECONDS, deleteEntryIn, MAX_SVID_SECONDS } from '#shared/domains/spiffe/entries'
import { isSpiffeSegment, spiffeIdText, trustDomainName } from '#shared/domains/spiffe/id'
import { objectOfSelectors, selectorsOfObject } from '#shared/domains/spiffe/selectors'
import { AppError } from '#shared/kernel/errors'
import type { User, Workload } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type {
  AgentEntry,
  ByParentQuery,
  EntryDeleted,
  NewAgentEntry,
  NewPlaneEntry,
  PlaneEntry,
  PlaneEntryChange,
  PlaneEntryList,
  PlaneEntryQuery,
} from './plane-entries.schema.ts'

type Out = z.input<typeof PlaneEntry>
const MAX_OF_PARENT = 1000

const toResponse = (row: RegistrationEntry): Out => ({
  id: row.id,
  tenant_id: row.tenantId,
  spiffe_id: row.spiffeId,
  parent_id: row.parentId,
  selectors: objectOfSelectors(row.selectors),
  ttl: row.x509Seconds,
  admin: row.admin,
  downstream: row.downstream,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

/** AuthSec's clients do not know audiences and have one lifetime; zero means the default. */
const OF_PLANE = { audiences: [ANY_AUDIENCE], jwtSeconds: MAX_SVID_SECONDS }
const lifetimeOf = (ttl: number | undefined): number => (ttl ? Math.max(ttl, 10) : DEFAULT_X509_SECONDS)

/** @throws AppError invalid_request, entry_exists, quota_exceeded, not_found, cannot_grant */
export const addPlaneEntry = async (ctx: Ctx, caller: User, request: z.output<typeof NewPlaneEntry>): Promise<Out> =>
  toResponse(
    await createEntry(ctx, caller, {
      ...OF_PLANE,
      spiffeId: request.spiffe_id,
      parentId: request.parent_id,
      selectors: selectorsOfObject(request.selectors, 'body.selectors'),
      x509Seconds: lifetimeOf(request.ttl),
      admin: request.admin,
      downstream: request.downstream,
    }),
  )

/** @throws AppError invalid_request, not_found, entry_exists, quota_exceeded, cannot_grant */
export const addAgentEntry = async (ctx: Ctx, caller: User, request: z.output<typeof NewAgentEntry>): Promise<z.input<typeof AgentEntry>> => {
  const { client_id: clientId, agent_type: agentType } = request
  if (!isSpiffeSegment(agentType)) throw new AppError('invalid_request', 'body.agent_type: is not a path segment', { field: 'body.agent_type' })
  if ((await findClient(forTenant(ctx.db, caller.tenantId), clientId)) === undefined) throw new AppError('not_found')
  const known = [`authsec:client_id:${clientId}`, `authsec:agent_type:${agentType}`, `authsec:workspace_id:${caller.tenantId}`]
  const others = Object.keys(request.selectors ?? {}).length === 0 ? [] : selectorsOfObject(request.selectors ?? {}, 'body.selectors')
  const row = await createEntry(ctx, caller, {
    ...OF_PLANE,
    spiffeId: spiffeIdText({ trustDomain: trustDomainName(caller.tenantId), segments: ['agent', clientId, agentType] }),
    parentId: request.parent_id,
    selectors: [...known, ...others],
    agentId: clientId,
    x509Seconds: lifetimeOf(request.ttl),
  })
  const { id, spiffe_id, tenant_id, parent_id, selectors, ttl, created_at } = toResponse(row)
  return { entry_id: id, spiffe_id, tenant_id, client_id: clientId, parent_id, selectors, ttl, created_at }
}

const SELECTOR_TYPES = { unix: 'unix:', kubernetes: 'k8s:', docker: 'docker:' } as const

export const findPlaneEntries = async (ctx: Ctx, caller: User, query: z.output<typeof PlaneEntryQuery>): Promise<z.input<typeof PlaneEntryList>> => {
  const filter = {
    spiffeId: query.spiffe_id,
    spiffeIdPart: query.spiffe_id_search,
    parentId: query.parent_id,
    admin: query.admin,
    selectorPrefix: query.selector_type === undefined ? undefined : SELECTOR_TYPES[query.selector_type],
  }
  const { entries, total } = await listEntriesByOffset(forTenant(ctx.db, caller.tenantId), filter, query.limit, query.offset)
  return { entries: entries.map(toResponse), total }
}

/** A node agent sees the entries below itself alone. */
export const findEntriesBelow = async (
  ctx: Ctx,
  caller: Workload,
  query: z.output<typeof ByParentQuery>,
): Promise<z.input<typeof PlaneEntryList>> => {
  if (query.parent_id !== undefined && query.parent_id !== caller.spiffeId) return { entries: [], total: 0 }
  const page = await listEntriesByOffset(forTenant(ctx.db, caller.tenantId), { parentId: caller.spiffeId }, MAX_OF_PARENT, 0)
  return { entries: page.entries.map(toResponse), total: page.total }
}

/** @throws AppError not_found */
export const readPlaneEntry = async (ctx: Ctx, caller: User, id: string): Promise<Out> => {
  const row = await findEntry(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return toResponse(row)
}

/** @throws AppError invalid_request, not_found, entry_exists, cannot_grant */
export const replacePlaneEntry = async (ctx: Ctx, caller: User, id: string, request: z.output<typeof PlaneEntryChange>): Promise<Out> =>
  toResponse(
    await changeEntry(ctx, caller, id, {
      spiffeId: request.spiffe_id,
      parentId: request.parent_id,
      selectors: selectorsOfObject(request.selectors, 'body.selectors'),
      x509Seconds: request.ttl === undefined ? undefined : lifetimeOf(request.ttl),
      admin: request.admin,
      downstream: request.downstream,
    }),
  )

/** @throws AppError not_found */
export const deletePlaneEntry = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof EntryDeleted>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await deleteEntryIn(t, ctx, caller, id)
    return { message: 'Entry deleted', id }
  })
