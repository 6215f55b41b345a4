// Group: administration of people (/people), and of a tenant's own settings and data (/tenants). An extension.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
