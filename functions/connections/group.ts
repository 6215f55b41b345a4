// Group: how a tenant's people sign in through other providers: the tenant's own (/connections), and in the wire format of AuthSec (oocmgr/*).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** The way to providers: tenants choose where theirs are. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
