// Group: who may do what, asked by any policy enforcement point (OpenID AuthZEN Authorization API 1.0), and why (/access/*). Ours.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
