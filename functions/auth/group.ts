// Group: the sign-in of administrators and end users (uflow/auth/*, uflow/login*).

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
