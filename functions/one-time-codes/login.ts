// Exchanges a code for a token: after the first factor, by the login ticket; or with only the code, where the tenant allows it and the client is authenticated.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findClientEntry } from '#db/store/clients'
import type { Account } from '#db/store/sign-in'
import { findTenant } from '#db/store/tenants'
import { findUserByEmail, lockUser } from '#db/store/users'
import { parseClientId } from '#shared/domains/clients/application'
import { authenticateSdkClient } from '#shared/domains/clients/secrets'
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { attemptTotp, verifyTotp } from '#shared/domains/factors/totp'
import { FACTOR_VERIFIED_EVENT } from '#shared/domains/factors/verify'
import { expiredTransactionCookie, loadLoginTransaction, readTransactionHandle } from '#shared/domains/login-transaction/login-transaction'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import { mintFromLoginTransaction } from '#shared/domains/sign-in/mint-from-login-transaction'
import { beginSession, mintToken, type StartedSession } from '#shared/domains/sign-in/session'
import { unprovedClient } from '#shared/domains/sign-in/unproved-client'
import { AppError } from '#shared/kernel/errors'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { basicCredentials, usesBasicAuth } from '#shared/platform/http/basic-auth'
import type { Cookie } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

/** Limit for a code without a first factor: five wrong ones block it for a day. */
const CODE_ONLY_LIMIT = { tries: 5, seconds: 24 * 3600 } as const

export type CodeLogin = {
  readonly email: string
  readonly code: string
  readonly clientId: string | undefined
  readonly transactionToken: string | undefined
  /** Whether the endpoint admits the person, checked after everything else. */
  readonly admits: (t: TenantTx, user: Account) => Promise<boolean>
  /** Set where COMPATIBILITY=authsec takes a code alone from a client that proves nothing: whether the endpoint admits the tenant. */
  readonly admitsUnproved?: (t: TenantTx) => Promise<boolean>
}
export type CodeLoginResult = { readonly token: string; readonly cookies: readonly Cookie[] }

/** One answer for an unknown client, a person without an app, a wrong code and a blocked app. */
const refused = (tenantId?: TenantId, userId?: string): AppError =>
  new AppError('invalid_credentials', undefined, {
    refusal: { event: 'user.signed_in', ...(tenantId === undefined ? {} : { tenantId }), ...(userId === undefined ? {} : { userId }) },
  })

const afterTicket = async (ctx: Ctx, given: CodeLogin): Promise<CodeLoginResult> => {
  const factorContext = await loadFactorContext(ctx, undefined, { email: given.email, login_ticket: given.transactionToken }, FACTOR_VERIFIED_EVENT)
  await verifyTotp(ctx, factorContext, given.code)
  const minted = await mintFromLoginTransaction(ctx, {
    email: given.email,
    tenantId: factorContext.tenantId,
    transactionToken: given.transactionToken,
    admits: given.admits,
  })
  return { token: minted.token, cookies: [...minted.cookies, expiredTransactionCookie(ctx, 'login')] }
}

type KnownClient = { readonly tenantId: TenantId; readonly clientId: string }

/** A client authenticated by HTTP Basic, or by an SDK client id in the body or the header. */
const authenticated = async (ctx: Ctx, inBody: string | undefined): Promise<KnownClient | undefined> => {
  if (usesBasicAuth(ctx.request)) {
    const presented = basicCredentials(ctx.request)
    if (presented instanceof AppError) return undefined
    return ctx.clientAuthentication.authenticate(presented, []).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'client_authentication_failed') return undefined
      throw error
    })
  }
  const text = inBody ?? ctx.request.header('x-client-id')
  return text === undefined ? undefined : authenticateSdkClient(ctx, text)
}

/** Whether a code is enough for this person: never for administrators, never where a second factor is required. */
const maySignInByCodeOnly = async (t: TenantTx, ctx: Ctx, user: Awaited<ReturnType<typeof lockUser>>): Promise<boolean> => {
  const tenant = await findTenant(t)
  const { settings } = tenant ?? {}
  if (tenant?.status !== 'active' || t.tenantId === SYSTEM_TENANT) return false
  if (settings?.passwordlessTotp !== true || settings.requireSecondFactor === true) return false
  return user?.active === true && user.deletedAt === null && !user.passwordResetRequired && !(await hasAdminAccess(t, ctx, user.id))
}

const byCodeOnly = async (ctx: Ctx, given: CodeLogin): Promise<CodeLoginResult> => {
  const proved = await authenticated(ctx, given.clientId)
  const admits = proved === undefined && given.admitsUnproved !== undefined ? given.admitsUnproved : given.admits
  const client = proved ?? (given.admitsUnproved === undefined ? undefined : await unprovedClient(ctx, { named: given.clientId, email: given.email }))
  if (client === undefined) throw refused()
  const t = forTenant(ctx.db, client.tenantId)
  const found = await findUserByEmail(t, given.email)
  const startedSession = await atomically(t, async (tx): Promise<StartedSession | undefined> => {
    const user = found === undefined ? undefined : await lockUser(tx, found.id)
    if (user === undefined || !(await maySignInByCodeOnly(tx, ctx, user))) return undefined
    const tried = /^\d{6}$/.test(given.code) ? await attemptTotp(tx, ctx, user, given.code, CODE_ONLY_LIMIT) : 'wrong'
    if (typeof tried === 'string' || !(await admits(tx, user))) return undefined
    const target = { type: 'factor', id: tried.factorId }
    await recordEvent(tx, ctx, {
      event: FACTOR_VERIFIED_EVENT,
      actor: { type: 'user', id: user.id },
      target,
      subjectId: user.id,
      after: { kind: 'totp', amr: ['otp'] },
    })
    return beginSession(tx, ctx, { user, clientId: client.clientId, amr: ['otp'], authTime: ctx.clock.now() })
  })
  ctx.wakeOutbox()
  if (startedSession === undefined) throw refused(client.tenantId, found?.id)
  const minted = await mintToken(ctx, startedSession)
  return { token: minted.token, cookies: minted.cookies }
}

/**
 * Routes that call this emit `factor.verified`, `factor.paused`, `backup_code.used`, `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials; with a login ticket invalid_totp_code, totp_not_enabled, factor_paused, mfa_verification_failed
 */
export const loginWithCode = async (ctx: Ctx, given: CodeLogin): Promise<CodeLoginResult> => {
  const loginTransaction = await loadLoginTransaction(ctx, 'login', readTransactionHandle(ctx, 'login', given.transactionToken))
  return loginTransaction === undefined ? byCodeOnly(ctx, given) : afterTicket(ctx, given)
}

/** Whether the client id belongs to the tenant. */
export const isClientOf = async (t: TenantTx, clientId: string): Promise<boolean> => {
  const id = parseClientId(clientId)
  return id !== undefined && (await findClientEntry(t, id))?.tenantId === t.tenantId
}

/** For endpoints with one error for every refusal. */
export const toLoginError = (error: unknown): never => {
  if (error instanceof AppError && error.code === 'invalid_totp_code') throw new AppError('invalid_credentials', 'Invalid TOTP code', error.details)
  throw error
}
