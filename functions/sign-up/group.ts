// Group: how a company signs up (uflow/auth/admin/register and the like, uflow/register/*).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
