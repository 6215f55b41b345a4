// Sign-in through external providers (/authsec/uflow/oidc/*, /federation/*).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** For requests to providers, whose addresses tenants choose. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
