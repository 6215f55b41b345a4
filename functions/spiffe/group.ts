// Workload identity (/spiffe, /authsec/spire, /authsec/spiresvc): trust domains, registration entries, SVIDs and federation.
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly outbound: Outbound }
export const route = routeFor<Ctx>()
