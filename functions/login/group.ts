// Group: the hosted pages, for people in a browser (/signin, /signup, /recover, /confirm), and how a tenant wants them to look (/branding).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'
import type { Sms } from '#shared/sms/sms'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly sms: Sms }
export const route = routeFor<Ctx>()
