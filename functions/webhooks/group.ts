// Group: systems of the tenant that are told what happens (/webhooks).
import type { RequestCtx } from '#shared/context'
import type { Outbound } from '#shared/fetch/guarded'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx & { readonly outbound: Outbound }
export const route = routeFor<Ctx>()
