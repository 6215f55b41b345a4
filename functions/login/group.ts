// Group: the hosted pages, for people in a browser (/signin, /signup, /recover, /confirm), and how a tenant wants them to look (/branding).

import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'
import type { Sms } from '#shared/platform/outbox/sms/sms'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly sms: Sms }
export const route = routeFor<Ctx>()
