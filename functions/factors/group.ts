// Group: a person's own factors (/account/factors), proving more inside a session (/account/step-up), proving the mailbox, and the ways back for who lost
// their factors (/account/recovery); and what administrators do about another's (/people/{id}/factors, /people/{id}/recovery-pass).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
