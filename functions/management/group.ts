// Group: people, roles, permissions and tenants under AuthSec's second set of administrative paths (hmgr/admin/*), and administrators and end users under
// the newer ones (uflow/v2/*). It declares paths and wire shapes; the rules are shared with uflow/admin/*.

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
