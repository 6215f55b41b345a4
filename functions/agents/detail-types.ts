// What may be asked for in detail (RFC 9396) at the tenant's resource servers.
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
import { byUser, record } from '#shared/platform/audit/record'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { DetailTypeChange, DetailTypeList, DetailTypeOut, NewDetailType } from './detail-types.schema.ts'
import type { Ctx } from './group.ts'

const MOST_TYPES = 200
type Out = z.input<typeof DetailTypeOut>

const shown = (row: DetailType): Out => ({
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
const tagged = (row: DetailType): Sent<Out> => new Sent(shown(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'detail_type', id })

/** @throws AppError not_found */
const known = async (t: TenantDb, id: string): Promise<DetailType> => {
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
export const createDetailType = async (ctx: Ctx, caller: User, asked: z.output<typeof NewDetailType>): Promise<Out> => {
  const limits = asked.limits.map(limitOf)
  // The library that judges schemas is loaded when somebody registers one.
  const { judgeDetailSchema } = await import('#shared/domains/oauth/detail-schema')
  judgeDetailSchema(asked.json_schema, limits)
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  try {
    return await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      if (asked.resource_server_id !== undefined && (await findResourceServer(t, asked.resource_server_id)) === undefined)
        throw new AppError('not_found', 'There is no such resource server.', { field: 'body.resource_server_id' })
      if ((await listDetailTypes(t, MOST_TYPES)).length >= MOST_TYPES) throw new AppError('quota_exceeded')
      await insertDetailType(t, {
        id,
        type: asked.type,
        title: asked.title,
        jsonSchema: asked.json_schema,
        limits,
        resourceServerId: asked.resource_server_id ?? null,
        createdAt: at,
        updatedAt: at,
      })
      const row = shown(await known(t, id))
      await record(t, ctx, { event: 'detail_type.created', actor: byUser(caller), target: target(id), after: { ...row } })
      return row
    })
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('detail_type_exists', undefined, { field: 'body.type' }, error)
    throw error
  }
}

export const allDetailTypes = async (ctx: Ctx, caller: User): Promise<z.input<typeof DetailTypeList>> => ({
  authorization_types: (await listDetailTypes(forTenant(ctx.db, caller.tenantId), MOST_TYPES)).map(shown),
})

/** @throws AppError not_found */
export const readDetailType = async (ctx: Ctx, caller: User, id: string): Promise<Sent<Out>> =>
  tagged(await known(forTenant(ctx.db, caller.tenantId), id))

/** @throws AppError precondition_required, precondition_failed, not_found */
export const changeDetailType = (ctx: Ctx, caller: User, id: string, { title }: z.output<typeof DetailTypeChange>): Promise<Sent<Out>> => {
  const judge = preconditionOf(ctx, 'required')
  return atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockDetailType(t, id)
    if (before === undefined) throw new AppError('not_found')
    judge(tagOf(before))
    const after = await updateDetailType(t, id, { title, updatedAt: ctx.clock.now() })
    if (after === undefined) throw new AppError('not_found')
    const change = { before: { title: before.title }, after: { title } }
    await record(t, ctx, { event: 'detail_type.updated', actor: byUser(caller), target: target(id), ...change })
    return tagged(after)
  })
}

/** Nobody asks for it any more. What was allowed stays, as it was. @throws AppError not_found */
export const removeDetailType = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const row = await deleteDetailType(t, id)
    if (row === undefined) throw new AppError('not_found')
    await record(t, ctx, { event: 'detail_type.deleted', actor: byUser(caller), target: target(id), before: { ...shown(row) } })
    return undefined
  })
