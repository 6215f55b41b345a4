// Sign-in on a device without a keyboard (uflow/auth/device/*), by the device authorization grant (RFC 8628).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
