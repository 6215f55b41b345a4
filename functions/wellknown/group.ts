// Group: public metadata of this server (/.well-known/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
