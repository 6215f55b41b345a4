// A person's own factors (/account/factors), step-up (/account/step-up), mailbox proof (/account/mailbox-proof) and recovery of lost factors
// (/account/recovery); administrators reset the factors of others (/people/{id}/factors, /people/{id}/recovery-pass).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
