// A person's own identities at external providers, on the hosted pages. The rules of the API apply: the session that started a link finishes it, and the last
// sign-in method stays.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Identity, listIdentities } from '#db/store/identities'
import { findPageProviders, type PageProviders } from '#shared/domains/federation/page-providers'
import { signInContextOfUser } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { requireSameOriginNavigation, withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect, redirectResult } from '#shared/platform/http/pages/redirect'
import { signInPath } from '#shared/platform/http/pages/sign-in-path'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import { redeemExchangeCode } from './exchange.ts'
import type { Ctx } from './group.ts'
import { unlinkIdentity } from './identities.ts'
import type { PageRedirect } from './page-end.ts'
import { startRedirectFlow } from './state.ts'

export const OWN_SIGN_INS_PATH = '/me/providers'

const offered = (ctx: Ctx, { tenantId, clientId }: User): Promise<PageProviders> =>
  findPageProviders(ctx, signInContextOfUser({ tenantId, clientId }))

export const ownSignIns = async (
  ctx: Ctx,
  principal: User,
): Promise<Pick<PageProviders, 'upstreams'> & { readonly identities: readonly Identity[] }> => ({
  upstreams: (await offered(ctx, principal)).upstreams,
  identities: await listIdentities(forTenant(ctx.db, principal.tenantId), principal.userId),
})

/** Displays the error on the page of the providers. */
const saidHere = (error: unknown): never => {
  throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn: OWN_SIGN_INS_PATH }) : error
}

/**
 * Redirects the browser to the provider. Only from a hosted page: otherwise another site could make a person connect the identity of an attacker.
 * @throws AppError cross_site, provider_not_enabled, provider_unavailable
 */
export const connectOwnProvider = async (
  ctx: Ctx,
  { tenantId, userId, sessionId, ...principal }: User,
  provider: string,
): Promise<HttpResult<undefined>> => {
  requireSameOriginNavigation(ctx)
  const { upstreams, base } = await offered(ctx, { ...principal, tenantId, userId, sessionId })
  const upstream = upstreams.find(({ name }) => name === provider)
  if (upstream === undefined) throw new AppError('provider_not_enabled', undefined, { saidOn: OWN_SIGN_INS_PATH })
  const start = { tenantId, action: 'link', upstream, origin: base, redirectAfter: undefined, page: {}, userId, sessionId } as const
  const { redirectUrl, cookie } = await startRedirectFlow(ctx, start).catch(saidHere)
  return new HttpResult(undefined, { headers: { Location: redirectUrl }, cookies: [cookie] })
}

/** @throws AppError identity_not_linked, last_sign_in_method */
export const removeOwnProvider = async (ctx: Ctx, principal: User, provider: string): Promise<HttpResult<undefined>> => {
  await unlinkIdentity(withPageOrigin(ctx), principal, provider).catch(saidHere)
  return redirect(ctx, OWN_SIGN_INS_PATH, { say: 'provider_removed' })
}

/** Finishes a link that started on the page. @throws AppError as `redeemExchangeCode`, displayed on the page */
export const finishLinkOnPage = async (
  ctx: Ctx,
  { code = '', state = '' }: z.output<typeof CallbackQuery>,
  isAnswered: boolean,
  principal: User | undefined,
): Promise<PageRedirect> => {
  const here = withPageOrigin(ctx)
  // A person who signed out meanwhile must sign in and start again.
  if (principal === undefined) return redirectResult(here, signInPath(ctx.request), { say: 'authentication_required' })
  // The person denied the request, or the response was invalid; `receiveCallback` has ended the flow.
  if (!isAnswered) return redirectResult(here, OWN_SIGN_INS_PATH, { say: 'federation_failed' })
  await redeemExchangeCode(here, { code, state }, principal).catch(saidHere)
  return redirectResult(here, OWN_SIGN_INS_PATH, { say: 'provider_added' })
}
