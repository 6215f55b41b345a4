// Access decisions for any policy enforcement point, and their explanations (/access/*, OpenID AuthZEN Authorization API 1.0). An API of this project.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
