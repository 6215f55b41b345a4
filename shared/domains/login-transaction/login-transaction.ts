// Login transactions prove that consecutive steps come from the same caller. The handle travels in a cookie, a header or the body; only its digest is stored.

import { asTenantId, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import {
  findLoginTransaction,
  insertLoginTransaction,
  type LoginTransaction,
  type NewLoginTransaction,
  type TransactionPurpose,
} from '#db/store/login-transactions'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import { splitHandle } from '#shared/kernel/ids'
import { randomToken } from '#shared/kernel/random'
import type { Cookie } from '#shared/platform/http/route'

export const LOGIN_SECONDS = 600

export type TransactionHandle = { readonly tenantId: TenantId; readonly text: string; readonly from: 'cookie' | 'header' | 'body' }

const COOKIES: Readonly<Partial<Record<TransactionPurpose, string>>> = {
  login: 'authsec_login',
  registration: 'authsec_registration',
  password_reset: 'authsec_reset',
  federation: 'authsec_federation',
  webauthn: 'authsec_webauthn',
  recovery_wait: 'authsec_recovery',
}
const cookieName = (purpose: TransactionPurpose, secure: boolean): string => `${secure ? '__Host-' : ''}${COOKIES[purpose] ?? 'authsec_ticket'}`

export const transactionHandleHash = (ctx: Pick<BaseCtx, 'hash'>, handle: string): Uint8Array => ctx.hash('ticket', handle)

/** Saves a login transaction and returns its handle. */
export const startLoginTransaction = async (
  t: TenantTx,
  ctx: Pick<RequestCtx, 'clock' | 'random' | 'hash'> & { readonly request?: RequestInfo },
  transaction: Pick<NewLoginTransaction, 'userId' | 'clientId' | 'verified' | 'data' | 'mailboxProvedAt' | 'sourceSessionId'> & {
    readonly purpose: TransactionPurpose
    readonly seconds: number
    /** When the person authenticated, if not now. */
    readonly authTime?: Date
  },
): Promise<string> => {
  const { seconds, authTime, ...row } = transaction
  const now = ctx.clock.now()
  const handle = `${t.tenantId}.${randomToken(ctx.random)}`
  await insertLoginTransaction(t, {
    ...row,
    id: ctx.random.id(),
    handleHash: transactionHandleHash(ctx, handle),
    origin: ctx.request?.origin ?? null,
    authTime: authTime ?? now,
    createdAt: now,
    expiresAt: secondsAfter(now, seconds),
  })
  return handle
}

/** Whether the calling UI is on another host (a configured one, or a tenant's verified domain), so that its cookie must cross sites. */
export const isCrossSite = ({ config, request: { origin, originAllowed, secure } }: Pick<RequestCtx, 'config' | 'request'>): boolean =>
  secure && origin !== undefined && originAllowed === true && new URL(origin).hostname !== new URL(config.BASE_URL).hostname

export const transactionCookie = (
  ctx: Pick<RequestCtx, 'config' | 'request'>,
  purpose: TransactionPurpose,
  handle: string,
  maxAgeSeconds = LOGIN_SECONDS,
): Cookie => ({
  name: cookieName(purpose, ctx.request.secure),
  value: handle,
  maxAgeSeconds,
  sameSite: isCrossSite(ctx) ? 'None' : 'Lax',
})
export const expiredTransactionCookie = (ctx: Pick<RequestCtx, 'config' | 'request'>, purpose: TransactionPurpose): Cookie =>
  transactionCookie(ctx, purpose, '', 0)

/** The handle from the body, else the header, else the cookie. */
export const readTransactionHandle = (
  ctx: Pick<RequestCtx, 'request'>,
  purpose: TransactionPurpose,
  inBody?: string,
): TransactionHandle | undefined => {
  const header = purpose === 'login' ? ctx.request.header('x-login-ticket') : undefined
  const [text, from] = inBody
    ? ([inBody, 'body'] as const)
    : header
      ? ([header, 'header'] as const)
      : ([ctx.request.cookie(cookieName(purpose, ctx.request.secure)), 'cookie'] as const)
  const tenantId = splitHandle(text)?.id
  return text === undefined || tenantId === undefined ? undefined : { tenantId: asTenantId(tenantId), text, from }
}

/**
 * Remembers in the browser the tenant of the next step (also of a company being registered). It proves nothing. Never set it to a tenant found by an address:
 * that would disclose whether the address is known.
 */
export const tenantHintCookie = (ctx: Pick<RequestCtx, 'config' | 'request' | 'random'>, tenantId: string, maxAgeSeconds: number): Cookie =>
  transactionCookie(ctx, 'registration', `${tenantId}.${randomToken(ctx.random)}`, maxAgeSeconds)

export const tenantHint = (ctx: Pick<RequestCtx, 'request'>): TenantId | undefined => readTransactionHandle(ctx, 'registration')?.tenantId

/** Browsers send cookies from any page, so by cookie a login transaction serves only the origin that started it. */
export const isTransactionOrigin = (loginTransaction: Pick<LoginTransaction, 'origin'>, handle: TransactionHandle, request: RequestInfo): boolean =>
  handle.from !== 'cookie' || loginTransaction.origin === (request.origin ?? null)

/** The live login transaction of that purpose. */
export const loadLoginTransaction = async (
  ctx: Pick<RequestCtx, 'db' | 'clock' | 'hash' | 'request'>,
  purpose: TransactionPurpose,
  handle: TransactionHandle | undefined,
): Promise<LoginTransaction | undefined> => {
  if (handle === undefined) return undefined
  const loginTransaction = await findLoginTransaction(forTenant(ctx.db, handle.tenantId), transactionHandleHash(ctx, handle.text), ctx.clock.now())
  return loginTransaction !== undefined && loginTransaction.purpose === purpose && isTransactionOrigin(loginTransaction, handle, ctx.request)
    ? loginTransaction
    : undefined
}
