// Group: end users as administrators keep them, their groups and clients (uflow/user/*).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
