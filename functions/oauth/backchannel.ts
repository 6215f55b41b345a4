// Backchannel authentication: a client requests approval on the person's phone (OpenID CIBA Core section 7, poll mode).
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { findUser } from '#db/store/users'
import { startCibaRequest } from '#shared/domains/ciba/request'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import { CIBA } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { authenticateClient } from './client-authentication.ts'
import type { BackchannelAuthentication, BackchannelForm } from './device-authorization.schema.ts'
import { requireGrantType, validateDecoupledRequest } from './device-authorization.ts'
import type { Ctx } from './group.ts'
import { readIdTokenHint } from './id-token-hint.ts'

type Form = z.output<typeof BackchannelForm>
/** The length that fits on a phone's screen and can be compared at a glance. */
const MAX_MESSAGE_LENGTH = 128
const EMAIL = /^[^@\s]{1,64}@[^@\s]{1,255}$/

/** @throws AppError invalid_binding_message where the displayed text would differ from the sent one */
const bindingMessage = ({ binding_message: message }: Form): string => {
  if (message === undefined) return ''
  if ([...message].length > MAX_MESSAGE_LENGTH || plainText(message, MAX_MESSAGE_LENGTH) !== message) throw new AppError('invalid_binding_message')
  return message
}

/** @throws AppError invalid_request */
const requestedExpiry = ({ requested_expiry: requested }: Form): { readonly expiresInSeconds?: number } => {
  if (requested === undefined) return {}
  if (!/^[1-9]\d{0,8}$/.test(requested)) throw new AppError('invalid_request', 'requested_expiry must be a positive number of seconds.')
  return { expiresInSeconds: Number(requested) }
}

/** @throws AppError ciba_user_unknown, invalid_request */
const hintedAddress = async (ctx: Ctx, client: OauthClient, hint: string): Promise<string> => {
  const hinted = await readIdTokenHint(ctx, hint)
  if (hinted?.audience !== client.publicId) throw new AppError('invalid_request', 'id_token_hint is not an ID token of this client.')
  // A client that has an ID token already knows this person, so the error for a deleted account discloses nothing.
  const user = await findUser(forTenant(ctx.db, client.tenantId), hinted.userId)
  if (user === undefined) throw new AppError('ciba_user_unknown')
  return user.email
}

/** The address of the person that exactly one hint must name. @throws AppError invalid_request, ciba_user_unknown */
const addressOf = async (ctx: Ctx, client: OauthClient, form: Form): Promise<string> => {
  const { login_hint: address, id_token_hint: token, login_hint_token: other } = form
  if ([address, token, other].filter((hint) => hint !== undefined).length !== 1) {
    throw new AppError('invalid_request', 'Exactly one of login_hint, id_token_hint and login_hint_token must name the person.')
  }
  if (other !== undefined) throw new AppError('invalid_request', 'login_hint_token is not offered.')
  if (token !== undefined) return hintedAddress(ctx, client, token)
  const email = address?.trim().toLowerCase() ?? ''
  if (!EMAIL.test(email)) throw new AppError('invalid_request', 'login_hint must be an e-mail address.')
  return email
}

/**
 * The response does not disclose whether the person exists, unless the tenant allows that. `user_code` is not supported and is ignored.
 * @throws AppError client_authentication_failed, unauthorized_client, invalid_request, invalid_scope, invalid_target, invalid_authorization_details,
 * invalid_binding_message, ciba_user_unknown, ciba_no_device, too_many_requests_pending
 */
export const startBackchannelAuthentication = async (ctx: Ctx, form: Form): Promise<z.input<typeof BackchannelAuthentication>> => {
  const client = await authenticateClient(ctx, form)
  requireGrantType(client, CIBA)
  if (client.isPublic) throw new AppError('unauthorized_client', 'CIBA needs a client that can authenticate.')
  if (form.request !== undefined) throw new AppError('invalid_request', 'Signed authentication requests are not offered.')
  if (form.scope === undefined) throw new AppError('invalid_request', 'scope is missing.')
  const { scopes, types, oauth } = await validateDecoupledRequest(ctx, client, form)
  if (!scopes.includes('openid')) throw new AppError('invalid_scope', 'scope must contain openid.')
  const titles = oauth.details.flatMap((detail) => types.find(({ type }) => type === detail.type)?.title ?? [])
  const approval = {
    scopes,
    oauth,
    titles,
    bindingMessage: bindingMessage(form),
    ...requestedExpiry(form),
    email: await addressOf(ctx, client, form),
  }
  const started = await startCibaRequest(ctx, { clientId: client.clientId, tenantId: client.tenantId, active: true }, approval)
  return {
    auth_req_id: started.authReqId,
    expires_in: started.expiresInSeconds,
    interval: started.intervalSeconds,
    ...(started.matchNumber === undefined ? {} : { match_number: started.matchNumber }),
  }
}
