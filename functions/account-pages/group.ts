// A person's own hosted pages (/me), and the pages to decide a device authorization (/activate) or a backchannel request (/approve).
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { routeFor } from '#shared/platform/http/route'
import type { Sms } from '#shared/platform/outbox/sms/sms'

export type Ctx = RequestCtx & { readonly breached: BreachedPasswords; readonly sms: Sms }
export const route = routeFor<Ctx>()
