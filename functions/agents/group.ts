// Group: agents, what people may leave to them, and what may be asked for in detail (/agents, /authorization-types, /trusted-issuers, delegation policies).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly outbound: Pick<Outbound, 'loopback'> }
export const route = routeFor<Ctx>()
