// Group: people, roles, permissions and companies under AuthSec's second set of administrative paths (hmgr/admin/*). The rules are those of its first one
// (uflow/admin/*); here stand the paths and the shapes.

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords }
export const route = routeFor<Ctx>()
