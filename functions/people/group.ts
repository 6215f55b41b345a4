// Group: people as an administrator keeps them (/people), and what a tenant may do with itself (/tenants). Ours.
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
