// Pushed authorization requests (RFC 9126): the client is authenticated and the request validated before a browser is involved.

import { forTenant } from '#db/engine/tenant'
import { insertAuthorizationRequest } from '#db/store/oauth-authorizations'
import { proofKey } from '#shared/domains/oauth/dpop'
import { newHandle } from '#shared/domains/oauth/handles'
import { REQUEST_URI } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { authenticateAdoptedClient, validatedOrPending } from './admission.ts'
import { pickParameters, validateAuthorizationRequest } from './authorization-request.ts'
import type { ClientForm } from './client-authentication.ts'
import { knownTypes } from './detail-types.ts'
import type { Ctx } from './group.ts'
import { registeredRedirectUri } from './redirect.ts'

const PUSHED_SECONDS = 90

type Form = ClientForm & Readonly<Record<string, string | undefined>>

/** @throws AppError what the authorization endpoint would report to the client */
export const push = async (ctx: Ctx, form: Form): Promise<{ readonly request_uri: string; readonly expires_in: number }> => {
  const client = await authenticateAdoptedClient(ctx, form)
  if (form.request_uri !== undefined) throw new AppError('invalid_request', 'A pushed request must not contain request_uri (RFC 9126 section 2.1).')
  const jkt = await proofKey(ctx, { method: 'POST', target: ctx.request.page })
  const sent = pickParameters(form)
  if (jkt !== undefined && sent.dpop_jkt !== undefined && sent.dpop_jkt !== jkt) throw new AppError('invalid_dpop_proof')
  const redirectUri = registeredRedirectUri(client, sent.redirect_uri)
  const parameters = { ...sent, redirect_uri: redirectUri, ...(jkt === undefined ? {} : { dpop_jkt: jkt }) }
  const validated = await validatedOrPending(ctx, client, parameters.resource, () =>
    validateAuthorizationRequest({ client, parameters, pushed: true }, redirectUri),
  )
  await knownTypes(ctx, validated)
  const [handle, at] = [newHandle(ctx, client.tenantId), ctx.clock.now()]
  await insertAuthorizationRequest(forTenant(ctx.db, client.tenantId), {
    id: ctx.random.id(),
    kind: 'pushed',
    handleHash: handle.hash,
    clientId: client.clientId,
    parameters,
    createdAt: at,
    expiresAt: secondsAfter(at, PUSHED_SECONDS),
  })
  return { request_uri: `${REQUEST_URI}${handle.text}`, expires_in: PUSHED_SECONDS }
}
