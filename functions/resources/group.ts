// Group: administration of resource servers (/authsec/resource-servers), and of who registers clients (/oauth/registration-*).
import type { RequestCtx } from '#shared/context'
import type { Outbound } from '#shared/fetch/guarded'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx & {
  /** The way to resource servers that are looked at. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
