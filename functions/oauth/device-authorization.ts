// Device authorization (RFC 8628 section 3.1). The request is validated here; the person's permissions are checked when the device polls.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { beginDeviceGrant } from '#shared/domains/device-authorization/device'
import { proofKey } from '#shared/domains/oauth/dpop'
import { DEVICE_CODE, type GrantType } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { authenticateAdoptedClient, validatedOrPending } from './admission.ts'
import { type Parameters, pickParameters, validateRequestedAccess } from './authorization-request.ts'
import { knownTypes } from './detail-types.ts'
import type { DeviceAuthorization, DeviceAuthorizationForm } from './device-authorization.schema.ts'
import type { Ctx } from './group.ts'

/** @throws AppError unauthorized_client */
export const requireGrantType = (client: OauthClient, type: GrantType): void => {
  if (!client.grantTypes.includes(type)) throw new AppError('unauthorized_client', 'The client is not registered for this grant type.')
}

type RequestedAccess = { readonly [name in 'scope' | 'resource' | 'authorization_details']?: string | undefined }

const accessParameters = ({ scope, resource, authorization_details }: RequestedAccess): Parameters =>
  pickParameters({ scope, resource, authorization_details })

/**
 * Validates a request that needs no browser: device authorization and CIBA.
 * @throws AppError invalid_scope, invalid_target, invalid_authorization_details, invalid_dpop_proof, use_dpop_nonce
 */
export const validateDecoupledRequest = async (ctx: Ctx, client: OauthClient, form: RequestedAccess) => {
  const jkt = await proofKey(ctx, { method: 'POST', target: ctx.request.page })
  if (client.dpopBound && jkt === undefined) throw new AppError('invalid_dpop_proof', 'This client must send a DPoP proof.')
  const { scopes, resource, details } = validateRequestedAccess(client, accessParameters(form))
  const types = await knownTypes(ctx, { client, details, resource })
  return { scopes, types, oauth: { resourceServerId: resource?.id ?? null, jkt: jkt ?? null, details } }
}

/** @throws AppError client_authentication_failed, unauthorized_client, invalid_scope, invalid_target, invalid_authorization_details */
export const startDeviceAuthorization = async (
  ctx: Ctx,
  form: z.output<typeof DeviceAuthorizationForm>,
): Promise<z.input<typeof DeviceAuthorization>> => {
  const client = await authenticateAdoptedClient(ctx, form)
  requireGrantType(client, DEVICE_CODE)
  const { scopes, oauth } = await validatedOrPending(ctx, client, form.resource, () => validateDecoupledRequest(ctx, client, form))
  const device = await atomically(forTenant(ctx.db, client.tenantId), (t) => beginDeviceGrant(t, ctx, { clientId: client.clientId, scopes, oauth }))
  return {
    device_code: device.deviceCode,
    user_code: device.userCode,
    verification_uri: device.verificationUri,
    verification_uri_complete: device.verificationUriComplete,
    expires_in: device.expiresInSeconds,
    interval: device.intervalSeconds,
  }
}
