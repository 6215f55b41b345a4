// Workload identity (/spiffe, /authsec/spire, /authsec/spiresvc): trust domains, registration entries, SVIDs, federation and attestation.
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & {
  /** Fetches keys that issuers publish, and asks token services. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
