// Sign-in and consent on a tenant's own front end (/authsec/hmgr/*, /challenges/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
