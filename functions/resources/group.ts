// Group: administration of resource servers (/authsec/resource-servers) and of the client registration policy (/oauth/registration-*).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** For requests to resource servers during validation. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
