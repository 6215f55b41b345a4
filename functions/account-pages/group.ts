// Group: a person's own hosted pages (/me, …), and those on which a person answers who asks: a device (/activate), a backchannel request (/approve).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { BreachedPasswords } from '#shared/password/breached'
import type { Sms } from '#shared/sms/sms'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly sms: Sms }
export const route = routeFor<Ctx>()
