// The device's side of the device authorization grant (RFC 8628 sections 3.1 and 3.4).
import type * as z from 'zod'
import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findApplication, parseClientId } from '#shared/domains/clients/application'
import { beginDeviceGrant, pollDeviceGrant } from '#shared/domains/device-authorization/device'
import { plainDeviceInfo } from '#shared/domains/device-authorization/plain-text'
import { beginGrantedSession } from '#shared/domains/device-authorization/poll'
import { PENDING_RESPONSE, toPollResponse } from '#shared/domains/device-authorization/poll-response'
import { requestedScopes } from '#shared/domains/device-authorization/scopes'
import { namesOnly } from '#shared/domains/sign-in/choose-tenant'
import { mintToken } from '#shared/domains/sign-in/session'
import { AppError } from '#shared/kernel/errors'
import type { DeviceCode, DeviceCodeRequest, DevicePolled, DeviceTokenRequest } from './grant.schema.ts'
import type { Ctx } from './group.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A domain must belong to the tenant of the client. Without a client it is ignored, because the approving person determines the tenant. @throws AppError invalid_client */
const requireOwnDomain = async (ctx: Ctx, tenantId: TenantId, named: string | undefined): Promise<void> => {
  if (!(await namesOnly(ctx, tenantId, named))) throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
}

/** @throws AppError invalid_client */
export const requestDeviceCode = async (ctx: Ctx, body: z.output<typeof DeviceCodeRequest>): Promise<z.input<typeof DeviceCode>> => {
  const application = body.client_id === undefined ? undefined : await findApplication(ctx, body.client_id)
  if (application !== undefined) await requireOwnDomain(ctx, application.tenantId, body.tenant_domain)
  const startedGrant = await atomically(forTenant(ctx.db, application?.tenantId ?? SYSTEM_TENANT), (t) =>
    beginDeviceGrant(t, ctx, {
      clientId: application?.clientId,
      scopes: requestedScopes(body.scopes),
      deviceInfo: plainDeviceInfo(body.device_info),
    }),
  )
  return {
    device_code: startedGrant.deviceCode,
    user_code: startedGrant.userCode,
    verification_uri: startedGrant.verificationUri,
    verification_uri_complete: startedGrant.verificationUriComplete,
    expires_in: startedGrant.expiresInSeconds,
    interval: startedGrant.intervalSeconds,
  }
}

/** @throws AppError unsupported_grant_type, authorization_pending, slow_down, expired_token, access_denied, authorization_denied, quota_exceeded */
export const requestDeviceToken = async (ctx: Ctx, body: z.output<typeof DeviceTokenRequest>): Promise<z.input<typeof DevicePolled>> => {
  if (body.grant_type !== undefined && body.grant_type !== GRANT_TYPE) throw new AppError('unsupported_grant_type')
  const clientId = body.client_id === undefined ? undefined : parseClientId(body.client_id)
  const polled = await pollDeviceGrant(ctx, { deviceCode: body.device_code, clientId }, beginGrantedSession(ctx))
  const answer = toPollResponse(ctx, polled, 'access_denied')
  if (answer === 'pending') return PENDING_RESPONSE
  const { token, expiresInSeconds, grant } = await mintToken(ctx, answer.value)
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    scope: answer.value.scopes.join(' '),
    email: grant.email,
    user_id: grant.userId,
    tenant_id: grant.tenantId,
    tenant_domain: grant.tenantDomain,
    ...(grant.clientId === undefined ? {} : { client_id: grant.clientId }),
  }
}
