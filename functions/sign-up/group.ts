// Group: how a company signs up (uflow/auth/admin/register and the like, uflow/register/*).

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
