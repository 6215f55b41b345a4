// A person's own sign-ins at other providers, on our own pages. The rules are those of the API: a link ends in the session in which it began, and the last way
// in stays.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { type Identity, listIdentities } from '#db/store/identities'
import { type OnPage, offeredOnPage } from '#shared/domains/federation/on-page'
import { doorOfUser } from '#shared/domains/sign-in/sign-in-context'
import { AppError } from '#shared/kernel/errors'
import { onPage, requireFollowed } from '#shared/platform/http/pages/form'
import { goTo, sendTo } from '#shared/platform/http/pages/go'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import { redeem } from './exchange.ts'
import type { Ctx } from './group.ts'
import { unlink } from './identities.ts'
import type { Gone } from './page-end.ts'
import { startDance } from './state.ts'

export const OWN_PATH = '/me/providers'

const offered = (ctx: Ctx, { tenantId, clientId }: User): Promise<OnPage> => offeredOnPage(ctx, doorOfUser({ tenantId, clientId }))

export const ownSignIns = async (ctx: Ctx, principal: User): Promise<Pick<OnPage, 'upstreams'> & { readonly identities: readonly Identity[] }> => ({
  upstreams: (await offered(ctx, principal)).upstreams,
  identities: await listIdentities(forTenant(ctx.db, principal.tenantId), principal.userId),
})

/** What is not accepted is said on the page that lists them. */
const saidHere = (error: unknown): never => {
  throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn: OWN_PATH }) : error
}

/**
 * Sends the browser to the provider. Pressed on our own page, or another site could have somebody connect what that site signed them in to.
 * @throws AppError cross_site, provider_not_enabled, provider_unavailable
 */
export const connectOwn = async (ctx: Ctx, { tenantId, userId, sessionId, ...principal }: User, provider: string): Promise<Sent<undefined>> => {
  requireFollowed(ctx)
  const { upstreams, base } = await offered(ctx, { ...principal, tenantId, userId, sessionId })
  const upstream = upstreams.find(({ name }) => name === provider)
  if (upstream === undefined) throw new AppError('provider_not_enabled', undefined, { saidOn: OWN_PATH })
  const start = { tenantId, action: 'link', upstream, origin: base, redirectAfter: undefined, page: {}, userId, sessionId } as const
  const { redirectUrl, cookie } = await startDance(ctx, start).catch(saidHere)
  return new Sent(undefined, { headers: { Location: redirectUrl }, cookies: [cookie] })
}

/** @throws AppError identity_not_linked, last_sign_in_method */
export const removeOwn = async (ctx: Ctx, principal: User, provider: string): Promise<Sent<undefined>> => {
  await unlink(onPage(ctx), principal, provider).catch(saidHere)
  return sendTo(ctx, OWN_PATH, { say: 'provider_removed' })
}

/** The provider's answer to a link that began here. @throws AppError whatever redeeming throws, said on the page */
export const linkOnPage = async (
  ctx: Ctx,
  { code = '', state = '' }: z.output<typeof CallbackQuery>,
  isAnswered: boolean,
  principal: User | undefined,
): Promise<Gone> => {
  const here = onPage(ctx)
  // Whoever signed out meanwhile is asked to sign in, and begins anew.
  if (principal === undefined) return goTo(here, '/signin', { say: 'authentication_required' })
  // Somebody said no at the provider, or the answer was not its: `receive` has noted that.
  if (!isAnswered) return goTo(here, OWN_PATH, { say: 'federation_failed' })
  await redeem(here, { code, state }, principal).catch(saidHere)
  return goTo(here, OWN_PATH, { say: 'provider_added' })
}
