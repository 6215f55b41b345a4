// The state of a client's request for access to a resource server: for that client, or for a caller that has the request's opaque id.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { type AccessRequest, findAccessRequest } from '#db/store/registered-clients'
import { AppError } from '#shared/kernel/errors'
import { usesBasicAuth } from '#shared/platform/http/basic-auth'
import { parseAccessRequestHandle } from './access-request-handle.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Ctx } from './group.ts'
import type { AccessRequestState } from './register.schema.ts'
import { clientOfToken } from './register.ts'

type Caller = { readonly tenantId: TenantId; readonly clientId: string }

const byHandle = async (ctx: Ctx, text: string): Promise<AccessRequest> => {
  const handle = parseAccessRequestHandle(text)
  const request = handle === undefined ? undefined : await findAccessRequest(forTenant(ctx.db, handle.tenantId), handle.id)
  if (request === undefined) throw new AppError('not_found')
  return request
}

const ofClient = async (ctx: Ctx, id: string): Promise<AccessRequest> => {
  const caller: Caller = usesBasicAuth(ctx.request) ? await authenticateClient(ctx, {}) : await clientOfToken(ctx)
  const request = await findAccessRequest(forTenant(ctx.db, caller.tenantId), id)
  if (request?.clientId !== caller.clientId) throw new AppError('not_found')
  return request
}

/** @throws AppError unauthorized, invalid_token, client_authentication_failed, not_found */
export const readAccessRequest = async (ctx: Ctx, id: string): Promise<z.input<typeof AccessRequestState>> => {
  const request = id.includes('.') ? await byHandle(ctx, id) : await ofClient(ctx, id)
  return {
    id,
    status: request.status === 'pending' && request.expiresAt <= ctx.clock.now() ? 'expired' : request.status,
    created_at: request.createdAt.toISOString(),
    updated_at: request.updatedAt.toISOString(),
    expires_at: request.expiresAt.toISOString(),
  }
}
