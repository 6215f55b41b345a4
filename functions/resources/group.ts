// Group: administration of resource servers (/authsec/resource-servers), and of who registers clients (/oauth/registration-*).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** The way to resource servers that are looked at. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
