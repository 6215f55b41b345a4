// Tickets prove that the caller of a step is the caller of the step before. The handle travels in a cookie, a header or the body; only its digest is kept.

import { asTenantId, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findTicket, insertTicket, type NewTicket, type Ticket, type TicketPurpose } from '#db/store/tickets'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import { opaque } from '#shared/kernel/random'
import type { Cookie } from '#shared/platform/http/route'

export const LOGIN_SECONDS = 600

export type Handle = { readonly tenantId: TenantId; readonly text: string; readonly from: 'cookie' | 'header' | 'body' }

const HANDLE = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.[\w-]{43}$/

const COOKIES: Readonly<Partial<Record<TicketPurpose, string>>> = {
  login: 'authsec_login',
  registration: 'authsec_registration',
  password_reset: 'authsec_reset',
  federation: 'authsec_federation',
  webauthn: 'authsec_webauthn',
  recovery_wait: 'authsec_recovery',
}
const cookieName = (purpose: TicketPurpose, secure: boolean): string => `${secure ? '__Host-' : ''}${COOKIES[purpose] ?? 'authsec_ticket'}`

export const handleHash = (ctx: Pick<BaseCtx, 'hash'>, handle: string): Uint8Array => ctx.hash('ticket', handle)

/** Keeps a ticket and answers its handle. */
export const openTicket = async (
  t: TenantTx,
  ctx: Pick<RequestCtx, 'clock' | 'random' | 'hash'> & { readonly request?: RequestInfo },
  given: Pick<NewTicket, 'userId' | 'clientId' | 'verified' | 'data' | 'mailboxProvedAt'> & {
    readonly purpose: TicketPurpose
    readonly seconds: number
    /** When the person was there, where that was not now. */
    readonly authTime?: Date
  },
): Promise<string> => {
  const { seconds, authTime, ...row } = given
  const now = ctx.clock.now()
  const handle = `${t.tenantId}.${opaque(ctx.random)}`
  await insertTicket(t, {
    ...row,
    id: ctx.random.id(),
    handleHash: handleHash(ctx, handle),
    origin: ctx.request?.origin ?? null,
    authTime: authTime ?? now,
    createdAt: now,
    expiresAt: secondsAfter(now, seconds),
  })
  return handle
}

/** Whether the UI that called is on another host than this server (a configured one, or a tenant's verified domain), so that its cookie has to cross sites. */
export const crossSite = ({ config, request: { origin, originAllowed, secure } }: Pick<RequestCtx, 'config' | 'request'>): boolean =>
  secure && origin !== undefined && originAllowed === true && new URL(origin).hostname !== new URL(config.BASE_URL).hostname

export const ticketCookie = (
  ctx: Pick<RequestCtx, 'config' | 'request'>,
  purpose: TicketPurpose,
  handle: string,
  maxAgeSeconds = LOGIN_SECONDS,
): Cookie => ({
  name: cookieName(purpose, ctx.request.secure),
  value: handle,
  maxAgeSeconds,
  sameSite: crossSite(ctx) ? 'None' : 'Lax',
})
export const spentCookie = (ctx: Pick<RequestCtx, 'config' | 'request'>, purpose: TicketPurpose): Cookie => ticketCookie(ctx, purpose, '', 0)

/** The handle of a request: body, else header, else cookie. */
export const readHandle = (ctx: Pick<RequestCtx, 'request'>, purpose: TicketPurpose, inBody?: string): Handle | undefined => {
  const header = purpose === 'login' ? ctx.request.header('x-login-ticket') : undefined
  const [text, from] = inBody
    ? ([inBody, 'body'] as const)
    : header
      ? ([header, 'header'] as const)
      : ([ctx.request.cookie(cookieName(purpose, ctx.request.secure)), 'cookie'] as const)
  const tenantId = text === undefined ? undefined : HANDLE.exec(text)?.[1]
  return text === undefined || tenantId === undefined ? undefined : { tenantId: asTenantId(tenantId), text, from }
}

/**
 * Remembers in the browser which tenant (a new company's to be, too) the next step is about, where that step does not name it. It proves nothing and opens
 * nothing. Never set it to a tenant that was found by an address: that would tell whether the address is known.
 */
export const hintCookie = (ctx: Pick<RequestCtx, 'config' | 'request' | 'random'>, tenantId: string, maxAgeSeconds: number): Cookie =>
  ticketCookie(ctx, 'registration', `${tenantId}.${opaque(ctx.random)}`, maxAgeSeconds)

export const hintedTenant = (ctx: Pick<RequestCtx, 'request'>): TenantId | undefined => readHandle(ctx, 'registration')?.tenantId

/** Cookies go wherever the browser goes, so by cookie a ticket serves the origin that began it and no other. */
export const servesOrigin = (ticket: Pick<Ticket, 'origin'>, handle: Handle, request: RequestInfo): boolean =>
  handle.from !== 'cookie' || ticket.origin === (request.origin ?? null)

/** The live ticket of that purpose behind a handle. */
export const loadTicket = async (
  ctx: Pick<RequestCtx, 'db' | 'clock' | 'hash' | 'request'>,
  purpose: TicketPurpose,
  handle: Handle | undefined,
): Promise<Ticket | undefined> => {
  if (handle === undefined) return undefined
  const ticket = await findTicket(forTenant(ctx.db, handle.tenantId), handleHash(ctx, handle.text), ctx.clock.now())
  return ticket !== undefined && ticket.purpose === purpose && servesOrigin(ticket, handle, ctx.request) ? ticket : undefined
}
