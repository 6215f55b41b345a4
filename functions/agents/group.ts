// Group: agents, what people may leave to them, and what may be asked for in detail (/agents, /authorization-types, /trusted-issuers, delegation policies).
import type { RequestCtx } from '#shared/context'
import type { Outbound } from '#shared/fetch/guarded'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx & { readonly outbound: Pick<Outbound, 'loopback'> }
export const route = routeFor<Ctx>()
