// The types of what a request asks for in detail, as the tenant registered them.
import { type DetailType, findDetailTypes } from '#db/store/oauth-details'
import { forTenant } from '#db/tenant'
import { judgeDetails } from '#shared/oauth/judge-details'
import type { Judged } from './authorization-request.ts'
import type { Ctx } from './group.ts'

/** Asks the store only where details are asked for. @throws AppError invalid_authorization_details */
export const knownTypes = async (ctx: Pick<Ctx, 'db'>, { client, details, resource }: Judged): Promise<readonly DetailType[]> => {
  if (details.length === 0) return []
  const types = await findDetailTypes(
    forTenant(ctx.db, client.tenantId),
    details.map(({ type }) => type),
  )
  judgeDetails(details, types, resource?.id)
  return types
}
