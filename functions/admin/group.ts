// Group: people of a company, invitations and groups, for its administrators (uflow/admin/*).
import type { RequestCtx } from '#shared/context'
import type { Resolver } from '#shared/dns/resolver'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly resolver: Resolver }
export const route = routeFor<Ctx>()
