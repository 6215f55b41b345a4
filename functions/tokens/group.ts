// Group: tokens and checks for other services (authmgr/*). Permissions are read from the store, never from the token.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
