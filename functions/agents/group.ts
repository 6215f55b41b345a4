// Agents and what may be delegated to them (/agents, /authorization-types, /trusted-issuers, /authsec/uflow/delegation-policies).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly outbound: Pick<Outbound, 'loopback'> }
export const route = routeFor<Ctx>()
