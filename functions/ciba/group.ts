// Backchannel authentication on a person's devices (uflow/auth/ciba/*, uflow/auth/tenant/ciba/*; OpenID CIBA Core 1.0, poll mode).
import type { CibaCtx } from '#shared/domains/ciba/request'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = CibaCtx
export const route = routeFor<Ctx>()
