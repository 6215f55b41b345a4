// A device begins (RFC 8628 section 3.1): what it may ask for is judged now, what the person may give when it polls.
import type * as z from 'zod'
import type { OauthClient } from '#db/store/oauth-clients'
import { atomically, forTenant } from '#db/tenant'
import { AppError } from '#shared/errors'
import { beginDeviceGrant } from '#shared/grants/device'
import { proofKey } from '#shared/oauth/dpop'
import { DEVICE_CODE, type GrantType } from '#shared/oauth/offered'
import { judgedOrPending, settledClient } from './admission.ts'
import type { DeviceAuthorization, DeviceAuthorizationForm } from './device-authorization.schema.ts'
import type { Ctx } from './group.ts'
import { defaultScopes, parseScopes, requireKnownScopes, resourceFor } from './scopes.ts'

/** @throws AppError unauthorized_client */
export const requireGrantType = (client: OauthClient, type: GrantType): void => {
  if (!client.grantTypes.includes(type)) throw new AppError('unauthorized_client', 'The client is not registered for this grant type.')
}

type Aside = { readonly scope?: string | undefined; readonly resource?: string | undefined; readonly authorization_details?: string | undefined }

/** What is asked for, where no browser asks. @throws AppError invalid_scope, invalid_target, invalid_dpop_proof, use_dpop_nonce */
export const askedAside = async (ctx: Ctx, client: OauthClient, form: Aside) => {
  if (form.authorization_details !== undefined) throw new AppError('invalid_authorization_details', 'Not offered for this grant.')
  const jkt = await proofKey(ctx, { method: 'POST', target: ctx.request.page })
  if (client.dpopBound && jkt === undefined) throw new AppError('invalid_dpop_proof', 'This client is registered to show a DPoP proof.')
  const asked = parseScopes(form.scope)
  const resource = resourceFor(client, form.resource, asked)
  requireKnownScopes(client, resource, asked)
  const scopes = asked.length > 0 ? asked : defaultScopes(client, resource)
  if (scopes.length === 0) throw new AppError('invalid_scope', 'Nothing is asked for.')
  return { scopes, oauth: { resourceServerId: resource?.id ?? null, jkt: jkt ?? null } }
}

/** @throws AppError client_authentication_failed, unauthorized_client, invalid_scope, invalid_target */
export const beginDevice = async (ctx: Ctx, form: z.output<typeof DeviceAuthorizationForm>): Promise<z.input<typeof DeviceAuthorization>> => {
  const client = await settledClient(ctx, form)
  requireGrantType(client, DEVICE_CODE)
  const asked = await judgedOrPending(ctx, client, form.resource, () => askedAside(ctx, client, form))
  const begun = await atomically(forTenant(ctx.db, client.tenantId), (t) => beginDeviceGrant(t, ctx, { clientId: client.clientId, ...asked }))
  return {
    device_code: begun.deviceCode,
    user_code: begun.userCode,
    verification_uri: begun.verificationUri,
    verification_uri_complete: begun.verificationUriComplete,
    expires_in: begun.expiresInSeconds,
    interval: begun.intervalSeconds,
  }
}
