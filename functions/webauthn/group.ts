// Group: passkeys (webauthn/*, /.well-known/webauthn): registered, used as a factor or alone, named, removed.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
