// The providers that our own pages offer, and the base of their redirect URI.
import { SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { tenantOfOrigin } from '#shared/domains/sign-in/choose-tenant'
import type { SignInContext } from '#shared/domains/sign-in/sign-in-context'
import { pageOrigin, withPageOrigin } from '#shared/platform/http/pages/form'
import { listUpstreamsAt, type Upstream } from './upstream.ts'

export type PageProviders = {
  readonly upstreams: readonly Upstream[]
  /** The redirect URI is on this host, because the cookies are. */
  readonly base: string
}

/**
 * On the platform's own host: all providers. On a tenant's verified domain: the tenant's own ones, which have that host registered. On any other host: none.
 */
export const findPageProviders = async (ctx: RequestCtx, signInContext: SignInContext): Promise<PageProviders> => {
  const platform = new URL(ctx.config.BASE_URL)
  const origin = pageOrigin(ctx.request)
  const here = URL.canParse(origin) ? new URL(origin) : undefined
  const [tenantId, clientId] = signInContext.kind === 'tenant' ? [signInContext.tenantId, signInContext.clientId] : [SYSTEM_TENANT, undefined]
  const all = await listUpstreamsAt(ctx, tenantId, clientId)
  if (here === undefined) return { upstreams: [], base: ctx.config.BASE_URL }
  if (here.hostname === platform.hostname) return { upstreams: all, base: ctx.config.BASE_URL }
  const isOwnHost = signInContext.kind === 'tenant' && here.protocol === platform.protocol && (await tenantOfOrigin(withPageOrigin(ctx))) === tenantId
  return { upstreams: isOwnHost ? all.filter(({ isOwn }) => isOwn) : [], base: here.origin }
}
