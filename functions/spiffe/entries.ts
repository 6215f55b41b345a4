// Registration entries, for administrators.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findEntry, listEntries, type RegistrationEntry } from '#db/store/registration-entries'
import { pageReply, toPage } from '#shared/domains/administration/page'
import { changeEntry, createEntry, deleteEntryIn, type EntryChangeFields } from '#shared/domains/spiffe/entries'
import { AppError } from '#shared/kernel/errors'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { EntryChanges, EntryList, EntryOut, EntryQuery, NewEntry } from './entries.schema.ts'
import type { Ctx } from './group.ts'

type Out = z.input<typeof EntryOut>
const SORT = '-created_at'

const toResponse = (row: RegistrationEntry): Out => ({
  id: row.id,
  spiffe_id: row.spiffeId,
  parent_id: row.parentId,
  selectors: row.selectors,
  agent_id: row.agentId,
  x509_seconds: row.x509Seconds,
  jwt_seconds: row.jwtSeconds,
  audiences: row.audiences,
  federates_with: row.federatesWith,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const tagOf = (row: RegistrationEntry): string => {
  const { id: _, created_at: __, updated_at: ___, ...rest } = toResponse(row)
  return etagOf(rest)
}
const tagged = (row: RegistrationEntry): HttpResult<Out> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })

const fieldsOf = (request: z.output<typeof EntryChanges>): EntryChangeFields => ({
  parentId: request.parent_id,
  selectors: request.selectors,
  agentId: request.agent_id,
  x509Seconds: request.x509_seconds,
  jwtSeconds: request.jwt_seconds,
  audiences: request.audiences,
  federatesWith: request.federates_with,
})

/** @throws AppError invalid_request, entry_exists, quota_exceeded, not_found, cannot_grant */
export const addEntry = async (ctx: Ctx, caller: User, request: z.output<typeof NewEntry>): Promise<HttpResult<Out>> =>
  tagged(await createEntry(ctx, caller, { ...fieldsOf(request), spiffeId: request.spiffe_id, selectors: request.selectors }))

export const findEntries = async (ctx: Ctx, caller: User, query: z.output<typeof EntryQuery>): Promise<HttpResult<z.input<typeof EntryList>>> => {
  const filter = { spiffeId: query.spiffe_id, parentId: query.parent_id, agentId: query.agent_id }
  const rows = await listEntries(forTenant(ctx.db, caller.tenantId), filter, toPage<'created_at'>(query, SORT))
  return pageReply(
    query,
    SORT,
    rows,
    (row) => row.createdAt,
    (page) => ({ entries: page.map(toResponse) }),
  )
}

/** @throws AppError not_found */
export const readEntry = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<Out>> => {
  const row = await findEntry(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(row)
}

/** @throws AppError precondition_required, precondition_failed, not_found, invalid_request, cannot_grant */
export const updateEntryFields = async (ctx: Ctx, caller: User, id: string, changes: z.output<typeof EntryChanges>): Promise<HttpResult<Out>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  return tagged(await changeEntry(ctx, caller, id, fieldsOf(changes), (row) => requirePrecondition(tagOf(row))))
}

/** @throws AppError not_found */
export const removeEntry = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await deleteEntryIn(t, ctx, caller, id)
    return undefined
  })
