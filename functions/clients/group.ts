// Group: client management (clientms/*), and the rotation of secrets (/clients/*), which is ours.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
