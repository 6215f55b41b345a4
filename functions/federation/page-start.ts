// Starts a sign-in through a provider on a hosted page.
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { findPageProviders } from '#shared/domains/federation/page-providers'
import { findSignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import { type FlowStart, startRedirectFlow } from './state.ts'

const members = ({ tenant, client_id, return_to }: SignInContextRequest) => ({
  ...(tenant === undefined ? {} : { tenant }),
  ...(client_id === undefined ? {} : { client_id }),
  ...(return_to === undefined ? {} : { return_to }),
})

/** Redirects the browser to the provider. @throws AppError provider_not_enabled, provider_unavailable */
export const startPageFlow = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest & { readonly provider: string },
): Promise<HttpResult<undefined>> => {
  const [signInContext, saidOn] = [await findSignInContext(ctx, contextRequest), withSignInContext('/signin', contextRequest)]
  const { upstreams, base } = await findPageProviders(ctx, signInContext)
  const upstream = upstreams.find(({ name }) => name === contextRequest.provider)
  if (upstream === undefined) throw new AppError('provider_not_enabled', undefined, { saidOn })
  const where =
    signInContext.kind === 'tenant' ? { tenantId: signInContext.tenantId, action: 'login' as const, forClientId: signInContext.clientId } : PLATFORM
  const start: FlowStart = { ...where, upstream, origin: base, redirectAfter: undefined, page: members(contextRequest) }
  const started = await startRedirectFlow(ctx, start).catch((error: unknown) => {
    throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn }) : error
  })
  return new HttpResult(undefined, { headers: { Location: started.redirectUrl }, cookies: [started.cookie] })
}

/** On the platform's own domain the identity determines the account, or a company signs up. */
const PLATFORM = { tenantId: SYSTEM_TENANT, action: 'discover', forClientId: undefined } as const
