// Group: roles, permissions, bindings and scopes of a tenant, for administrators and end users (uflow/admin/*, uflow/user/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
