// Group: end users, their groups and clients, as administrators manage them (uflow/user/*).

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
