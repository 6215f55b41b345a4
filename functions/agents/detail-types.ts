// Authorization detail types (RFC 9396) that clients may request at the tenant's resource servers.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import {
  type DetailLimit,
  type DetailType,
  deleteDetailType,
  findDetailType,
  insertDetailType,
  listDetailTypes,
  lockDetailType,
  updateDetailType,
} from '#db/store/oauth-details'
import { findResourceServer } from '#db/store/resource-servers'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { DetailTypeChange, DetailTypeList, DetailTypeOut, NewDetailType } from './detail-types.schema.ts'
import type { Ctx } from './group.ts'

const MAX_TYPES = 200
type Out = z.input<typeof DetailTypeOut>

const toResponse = (row: DetailType): Out => ({
  id: row.id,
  type: row.type,
  title: row.title,
  json_schema: row.jsonSchema,
  limits: [...row.limits],
  resource_server_id: row.resourceServerId,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const tagOf = ({ title }: DetailType): string => etagOf([title])
const tagged = (row: DetailType): HttpResult<Out> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'detail_type', id })

/** @throws AppError not_found */
const requireDetailType = async (t: TenantDb, id: string): Promise<DetailType> => {
  const row = await findDetailType(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}

const limitOf = ({ member, kind, currency_member }: z.output<typeof NewDetailType>['limits'][number]): DetailLimit => ({
  member,
  kind,
  ...(currency_member === undefined ? {} : { currency_member }),
})

/** @throws AppError invalid_request, not_found (resource server), detail_type_exists, quota_exceeded */
export const createDetailType = async (ctx: Ctx, caller: User, request: z.output<typeof NewDetailType>): Promise<Out> => {
  const limits = request.limits.map(limitOf)
  // Imported on demand, because only this route needs the schema library.
  const { validateDetailSchema } = await import('#shared/domains/oauth/detail-schema')
  validateDetailSchema(request.json_schema, limits)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  try {
    return await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      if (request.resource_server_id !== undefined && (await findResourceServer(t, request.resource_server_id)) === undefined)
        throw new AppError('not_found', 'There is no such resource server.', { field: 'body.resource_server_id' })
      if ((await listDetailTypes(t, MAX_TYPES)).length >= MAX_TYPES) throw new AppError('quota_exceeded')
      await insertDetailType(t, {
        id,
        type: request.type,
        title: request.title,
        jsonSchema: request.json_schema,
        limits,
        resourceServerId: request.resource_server_id ?? null,
        createdAt: at,
        updatedAt: at,
      })
      const row = toResponse(await requireDetailType(t, id))
      await recordEvent(t, ctx, { event: 'detail_type.created', actor: byUser(caller), target: target(id), after: { ...row } })
      return row
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('detail_type_exists', undefined, { field: 'body.type' }, error)
    throw error
  }
}

export const showDetailTypes = async (ctx: Ctx, caller: User): Promise<z.input<typeof DetailTypeList>> => ({
  authorization_types: (await listDetailTypes(forTenant(ctx.db, caller.tenantId), MAX_TYPES)).map(toResponse),
})

/** @throws AppError not_found */
export const readDetailType = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<Out>> =>
  tagged(await requireDetailType(forTenant(ctx.db, caller.tenantId), id))

/** @throws AppError precondition_required, precondition_failed, not_found */
export const changeDetailType = (ctx: Ctx, caller: User, id: string, { title }: z.output<typeof DetailTypeChange>): Promise<HttpResult<Out>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  return atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockDetailType(t, id)
    if (before === undefined) throw new AppError('not_found')
    requirePrecondition(tagOf(before))
    const after = await updateDetailType(t, id, { title, updatedAt: ctx.clock.now() })
    if (after === undefined) throw new AppError('not_found')
    const change = { before: { title: before.title }, after: { title } }
    await recordEvent(t, ctx, { event: 'detail_type.updated', actor: byUser(caller), target: target(id), ...change })
    return tagged(after)
  })
}

/** The type can no longer be requested; existing consents are kept. @throws AppError not_found */
export const removeDetailType = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const row = await deleteDetailType(t, id)
    if (row === undefined) throw new AppError('not_found')
    await recordEvent(t, ctx, { event: 'detail_type.deleted', actor: byUser(caller), target: target(id), before: { ...toResponse(row) } })
    return undefined
  })
