// Group: passkeys (webauthn/*, /.well-known/webauthn): registration, use as a factor or for sign-in, names, removal.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
