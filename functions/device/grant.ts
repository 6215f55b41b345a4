// The device's side of the grant.
import type * as z from 'zod'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { doorOf, plainClientId } from '#shared/domains/clients/application'
import { answerPoll, PENDING } from '#shared/domains/device-authorization/answer'
import { beginDeviceGrant, pollDeviceGrant } from '#shared/domains/device-authorization/device'
import { plainDeviceInfo } from '#shared/domains/device-authorization/plain-text'
import { beginGrantedSession } from '#shared/domains/device-authorization/poll'
import { askedScopes } from '#shared/domains/device-authorization/scopes'
import { fullDomain, isPlatformDomain } from '#shared/domains/sign-in/choose-tenant'
import { tokenOf } from '#shared/domains/sign-in/session'
import { AppError } from '#shared/kernel/errors'
import type { DeviceCode, DeviceCodeRequest, DevicePolled, DeviceTokenRequest } from './grant.schema.ts'
import type { Ctx } from './group.ts'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'

/** A domain beside a client has to be its tenant's; alone it binds nothing, for whoever approves brings the tenant. @throws AppError invalid_client */
const requireOwnDomain = async (ctx: Ctx, tenantId: TenantId, named: string | undefined): Promise<void> => {
  const domain = named === undefined ? undefined : fullDomain(ctx.config, named)
  if (domain === undefined || isPlatformDomain(ctx.config, domain)) return
  if ((await findTenantByDomain(directory(ctx.db), domain)) !== tenantId) throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
}

/** @throws AppError invalid_client */
export const requestCode = async (ctx: Ctx, body: z.output<typeof DeviceCodeRequest>): Promise<z.input<typeof DeviceCode>> => {
  const door = body.client_id === undefined ? undefined : await doorOf(ctx, body.client_id)
  if (door !== undefined) await requireOwnDomain(ctx, door.tenantId, body.tenant_domain)
  const begun = await atomically(forTenant(ctx.db, door?.tenantId ?? SYSTEM_TENANT), (t) =>
    beginDeviceGrant(t, ctx, { clientId: door?.clientId, scopes: askedScopes(body.scopes), deviceInfo: plainDeviceInfo(body.device_info) }),
  )
  return {
    device_code: begun.deviceCode,
    user_code: begun.userCode,
    verification_uri: begun.verificationUri,
    verification_uri_complete: begun.verificationUriComplete,
    expires_in: begun.expiresInSeconds,
    interval: begun.intervalSeconds,
  }
}

/** @throws AppError unsupported_grant_type, authorization_pending, slow_down, expired_token, access_denied, authorization_denied, quota_exceeded */
export const requestToken = async (ctx: Ctx, body: z.output<typeof DeviceTokenRequest>): Promise<z.input<typeof DevicePolled>> => {
  if (body.grant_type !== undefined && body.grant_type !== GRANT_TYPE) throw new AppError('unsupported_grant_type')
  const clientId = body.client_id === undefined ? undefined : plainClientId(body.client_id)
  const polled = await pollDeviceGrant(ctx, { deviceCode: body.device_code, clientId }, beginGrantedSession(ctx))
  const answer = answerPoll(ctx, polled, 'access_denied')
  if (answer === 'pending') return PENDING
  const { token, expiresInSeconds, grant } = await tokenOf(ctx, answer.value)
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
