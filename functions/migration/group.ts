// What the migration group works with.
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
