// Group: the authorization server (/oauth/*).
import type { CibaCtx } from '#shared/domains/ciba/request'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = CibaCtx & {
  /** Fetches documents that clients publish: keys and metadata. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
