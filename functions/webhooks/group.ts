// Group: webhooks, which send audit events to systems of the tenant (/webhooks).
import type { RequestCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly outbound: Outbound }
export const route = routeFor<Ctx>()
