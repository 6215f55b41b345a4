// RP-Initiated Logout (OpenID Connect RP-Initiated Logout 1.0). Without an ID token the person confirms. The browser is only redirected to a registered URI.
import type * as z from 'zod'
import { signOut } from '#shared/domains/account/sessions'
import { AppError } from '#shared/kernel/errors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { endedSessionCookie } from '#shared/platform/http/pages/session'
import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { findClientById } from './client-authentication.ts'
import type { Ctx } from './group.ts'
import { type IdTokenHint, isSignedWithRetiredKey, readIdTokenHint } from './id-token-hint.ts'
import { logoutPage } from './logout.page.tsx'
import type { LogoutConfirmation, LogoutParameters } from './logout.schema.ts'
import type { PageResult } from './pending-authorization.ts'
import { isUnvettedWebAddress } from './redirect.ts'

type TargetRequest = Pick<LogoutParameters, 'client_id' | 'post_logout_redirect_uri' | 'state'>

/** @throws AppError invalid_request: on a page */
const hintIn = async (ctx: Ctx, { id_token_hint: token, client_id: clientId }: LogoutParameters): Promise<IdTokenHint | undefined> => {
  const hinted = token === undefined ? undefined : await readIdTokenHint(ctx, token)
  if (token !== undefined && hinted === undefined && !(await isSignedWithRetiredKey(ctx, token)))
    throw new AppError('invalid_request', 'id_token_hint is no ID token of this server.')
  if (hinted !== undefined && clientId !== undefined && clientId !== hinted.audience) {
    throw new AppError('invalid_request', 'client_id is not the client that id_token_hint was given to.')
  }
  return hinted
}

/**
 * The registered post-logout URI, with the state. Undefined for a client that registered itself while no person is signed in.
 * @throws AppError invalid_request: on a page
 */
const targetOf = async (ctx: Ctx, principal: User | undefined, request: TargetRequest): Promise<string | undefined> => {
  const { post_logout_redirect_uri: uri, client_id: clientId, state } = request
  if (uri === undefined) return undefined
  const client = clientId === undefined ? undefined : await findClientById(ctx, clientId, undefined, principal?.tenantId)
  if (client === undefined) throw new AppError('invalid_request', 'post_logout_redirect_uri needs a client that may be used.')
  if (!client.postLogoutRedirectUris.includes(uri)) {
    throw new AppError('invalid_request', 'post_logout_redirect_uri is not registered for this client.')
  }
  if (principal === undefined && isUnvettedWebAddress(client, uri)) return undefined
  if (state === undefined) return uri
  const url = new URL(uri)
  url.searchParams.set('state', state)
  return url.href
}

const redirectAfterLogout = (ctx: Ctx, target: string | undefined, isEnded: boolean): HttpResult<StatusResult<303, undefined>> => {
  const ended = isEnded ? [endedSessionCookie(ctx)] : []
  if (target === undefined)
    return redirectResult(ctx, signInPath(ctx.request), {
      say: 'signed_out',
      cookies: ended,
      remember: { email: undefined, held: undefined },
    })
  return new HttpResult(withStatus(303, undefined), { headers: { Location: target }, cookies: ended })
}

/** @throws AppError invalid_request: on a page */
export const logout = async (ctx: Ctx, principal: User | undefined, request: LogoutParameters): Promise<PageResult> => {
  const hinted = await hintIn(ctx, request)
  const clientId = request.client_id ?? hinted?.audience
  // The ID token that names the client cannot be verified any more.
  const isUnreadable = request.id_token_hint !== undefined && clientId === undefined
  const named = { ...request, client_id: clientId, post_logout_redirect_uri: isUnreadable ? undefined : request.post_logout_redirect_uri }
  const target = await targetOf(ctx, principal, named)
  if (principal === undefined) return redirectAfterLogout(ctx, target, false)
  if (hinted?.userId !== principal.userId) return logoutPage(ctx, principal, named, target)
  await signOut(ctx, principal)
  return redirectAfterLogout(ctx, target, true)
}

/** Validates the form again, since it comes from the browser. @throws AppError invalid_request: on a page */
export const confirmLogout = async (ctx: Ctx, principal: User, form: z.output<typeof LogoutConfirmation>): Promise<PageResult> => {
  const target = await targetOf(ctx, principal, form)
  if (form.decision === 'stay') return target === undefined ? redirectResult(ctx, '/me') : redirectAfterLogout(ctx, target, false)
  await signOut(ctx, principal)
  return redirectAfterLogout(ctx, target, true)
}
