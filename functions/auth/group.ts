// Group: how administrators and end users come in (uflow/auth/*, uflow/login*).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
