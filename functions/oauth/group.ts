// Group: the authorization server (/oauth/*).
import type { CibaCtx } from '#shared/ciba/request'
import type { Outbound } from '#shared/fetch/guarded'
import { routeFor } from '#shared/http/route'

export type Ctx = CibaCtx & {
  /** The way to what clients name: their keys, their metadata. */
  readonly outbound: Outbound
}
export const route = routeFor<Ctx>()
