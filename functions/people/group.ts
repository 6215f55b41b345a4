// Group: people as an administrator keeps them (/people), and what a tenant may do with itself (/tenants). Ours.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
