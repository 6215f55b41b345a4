// Group: end users as administrators keep them, their groups and clients (uflow/user/*).

import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import type { RequestCtx } from '#shared/platform/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
