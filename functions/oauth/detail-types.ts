// The types of what a request asks for in detail, as the tenant registered them.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import { type DetailType, findDetailTypes } from '#db/store/oauth-details'
import type { Details } from '#shared/domains/oauth/details'
import { validateDetails } from '#shared/domains/oauth/validate-details'
import type { ValidatedRequest } from './authorization-request.ts'
import type { Ctx } from './group.ts'

/** Asks the store only where details are asked for. @throws AppError invalid_authorization_details */
export const knownTypesAt = async (t: TenantDb, details: Details, resourceServerId: string | undefined): Promise<readonly DetailType[]> => {
  if (details.length === 0) return []
  const types = await findDetailTypes(
    t,
    details.map(({ type }) => type),
  )
  validateDetails(details, types, resourceServerId)
  return types
}

/** @throws AppError invalid_authorization_details */
export const knownTypes = (
  ctx: Pick<Ctx, 'db'>,
  { client, details, resource }: Pick<ValidatedRequest, 'client' | 'details' | 'resource'>,
): Promise<readonly DetailType[]> => knownTypesAt(forTenant(ctx.db, client.tenantId), details, resource?.id)
