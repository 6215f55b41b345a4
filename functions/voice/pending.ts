// Device grants that name the caller, and the caller's decision on one.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findWaitingFor } from '#db/store/device-grants'
import { parseClientId } from '#shared/domains/clients/application'
import { decideDeviceGrant, userCodeOfGrant, verificationUri } from '#shared/domains/device-authorization/device'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { ApprovePendingRequest, PendingQuery, PendingRequestApproved, PendingRequests } from './pending.schema.ts'

/** Lists only the caller's grants. @throws AppError invalid_request for a malformed client id */
export const showPendingRequests = async (ctx: Ctx, caller: User, query: z.output<typeof PendingQuery>): Promise<z.input<typeof PendingRequests>> => {
  const clientId = query.client_id === undefined ? undefined : parseClientId(query.client_id)
  if (query.client_id !== undefined && clientId === undefined)
    throw new AppError('invalid_request', 'query.client_id: is none', { field: 'query.client_id' })
  const rows = await findWaitingFor(forTenant(ctx.db, caller.tenantId), caller.userId, clientId, ctx.clock.now())
  const requests = await Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      user_code: (await userCodeOfGrant(ctx, row)) ?? '',
      device_code: '' as const,
      verification_uri: verificationUri(ctx.config),
      device_info: row.deviceInfo ?? {},
      scopes: row.scopes,
      status: row.status,
      expires_at: row.expiresAt.toISOString(),
      created_at: row.createdAt.toISOString(),
      ...(row.clientId === null ? {} : { client_id: row.clientId }),
    })),
  )
  return { requests, count: requests.length }
}

/** @throws AppError invalid_user_code, rate_limited, insufficient_user_authentication */
export const approvePendingRequest = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof ApprovePendingRequest>,
): Promise<z.input<typeof PendingRequestApproved>> => {
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, body.approve)
  if (decided === 'approved') return { success: true, message: 'The device is signed in.', status: 'authorized' }
  if (decided === 'denied') return { success: true, message: 'The device was refused.', status: 'denied' }
  throw new AppError('invalid_user_code', 'The code is unknown, expired or already used.', {
    extra: { success: false, status: 'failed' },
    refusal: { event: 'device_grant.approved', tenantId: caller.tenantId, userId: caller.userId },
  })
}
