// Group: signing in and consenting at a front end of a company's own (hmgr/*, /challenges/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
