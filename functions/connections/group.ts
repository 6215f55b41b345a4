// Sign-in through external providers: a tenant's own connections (/connections), and AuthSec's configuration manager (/authsec/oocmgr/*).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** For requests to providers, whose addresses tenants choose. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
