// Client management (/authsec/clientms/*), and the rotation and registration of clients (/clients/*), which are APIs of this project.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
