// Administration of the people, invitations and groups of a tenant (/authsec/uflow/admin/*).
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import type { TxtResolver } from '#shared/platform/dns/resolver'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly resolver: TxtResolver }
export const route = routeFor<Ctx>()
