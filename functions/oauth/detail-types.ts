// The registered types of the authorization details in a request.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import { type DetailType, findDetailTypes } from '#db/store/oauth-details'
import type { Details } from '#shared/domains/oauth/details'
import { validateDetails } from '#shared/domains/oauth/validate-details'
import type { ValidatedRequest } from './authorization-request.ts'
import type { Ctx } from './group.ts'

/** Reads the store only where the request has details. @throws AppError invalid_authorization_details */
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
