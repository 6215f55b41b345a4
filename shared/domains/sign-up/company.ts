// Sign-up of a tenant: register, prove the address with a mailed code, then the tenant is created. Pending sign-ups are in the system tenant.

import { asTenantId, atomically, directory, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import {
  consumeCode,
  deletePendingRegistrations,
  findPendingRegistration,
  findPendingRegistrationByCode,
  insertPendingRegistration,
  type PendingRegistration,
  replacePendingCode,
} from '#db/store/codes'
import { findTenantByDomain } from '#db/store/domains'
import { tenantHintCookie } from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { type CreatedTenant, createTenant } from '#shared/domains/tenancy/create-tenant'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import type { Cookie } from '#shared/platform/http/route'
import { finishableAttempt, newAttempt, ownAttempt } from './attempt.ts'
import { codeLockOf, createCode, matchCode } from './code.ts'
import type { SignUpCtx as Ctx } from './end-user.ts'
import { companyNameOf, isSingleTenantTaken, refuseSecondCompany, requireOpenSignUp } from './open-sign-up.ts'

const PENDING_SECONDS = 24 * 3600
const CODE_SECONDS = 30 * 60

export type SignUp = {
  readonly email: string
  readonly password: string
  readonly name: string
  readonly tenantDomain: string
}

export type StartedSignUp = {
  readonly domain: string
  readonly tenantId: string
  readonly again: boolean
  readonly ticket: string
  readonly cookies: readonly Cookie[]
}

/** Mails a code for a pending sign-up. @throws AppError too_many_codes */
const sendCode = async (t: TenantTx, ctx: Ctx, email: string, domain: string): Promise<string> => {
  const sent = await createCode(t, ctx, codeLockOf(ctx, 'admin_registration', email), CODE_SECONDS, false)
  if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
  await notify(t, ctx, { to: email, template: 'registration_code', data: { code: sent.code, minutes: CODE_SECONDS / 60, domain } })
  return sent.id
}

const failureOf = async (check: () => Promise<unknown>): Promise<readonly AppError[]> => {
  try {
    await check()
    return []
  } catch (error) {
    if (error instanceof AppError) return [error]
    throw error
  }
}

/** @throws AppError tenant_domain_invalid, tenant_domain_taken */
const freeDomain = async (ctx: Ctx, tenantDomain: string): Promise<string> => {
  const domain = normaliseTenantDomain(tenantDomain, ctx.config.TENANT_DOMAIN_SUFFIX)
  if (domain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  if ((await findTenantByDomain(directory(ctx.db), domain)) !== undefined)
    throw new AppError('tenant_domain_taken', undefined, { field: 'body.tenant_domain' })
  return domain
}

/** @throws AppError password_* */
const requirePassword = (ctx: Ctx, { email, name, password }: SignUp, domain: string): Promise<void> =>
  checkNewPassword({ password, email, name, tenantDomain: domain, secondFactorRequired: false, field: 'body.password' }, ctx.breached)

/** The errors of all fields, for a form that states them together. @throws AppError sign_up_closed, single_tenant */
export const signUpErrors = async (ctx: Ctx, given: SignUp): Promise<readonly AppError[]> => {
  await requireMaySignUp(ctx)
  return [
    ...(await failureOf(() => freeDomain(ctx, given.tenantDomain))),
    ...(await failureOf(() => requirePassword(ctx, given, normaliseTenantDomain(given.tenantDomain, ctx.config.TENANT_DOMAIN_SUFFIX) ?? ''))),
  ]
}

/** @throws AppError sign_up_closed, single_tenant */
const requireMaySignUp = async (ctx: Ctx): Promise<void> => {
  requireOpenSignUp(ctx)
  if (await isSingleTenantTaken(ctx)) throw new AppError('single_tenant')
}

/**
 * Stores a sign-up and mails its code. Every attempt has its own row, password and code; its id becomes the tenant's.
 * @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken, password_*, too_many_codes
 */
export const startSignUp = async (ctx: Ctx, given: SignUp): Promise<StartedSignUp> => {
  await requireMaySignUp(ctx)
  const domain = await freeDomain(ctx, given.tenantDomain)
  await requirePassword(ctx, given, domain)
  const { email, name, password } = given
  const passwordHash = await ctx.passwords.hash(password)
  const [id, attempt] = [ctx.random.id(), newAttempt(ctx, PENDING_SECONDS)]
  const again = await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const now = ctx.clock.now()
    const earlier = await findPendingRegistration(t, 'company', email, now)
    const codeId = await sendCode(t, ctx, email, domain)
    await insertPendingRegistration(t, {
      id,
      kind: 'company',
      codeId,
      email,
      name,
      passwordHash,
      attemptHash: attempt.hash,
      tenantDomain: domain,
      createdAt: now,
      expiresAt: secondsAfter(now, PENDING_SECONDS),
    })
    await recordEvent(t, ctx, { event: 'registration.started', actor: byAnonymous, target: { type: 'registration', id }, after: { email, domain } })
    return earlier.length > 0
  })
  ctx.wakeOutbox()
  return { domain, tenantId: id, again, ticket: attempt.ticket, cookies: [tenantHintCookie(ctx, id, PENDING_SECONDS), attempt.cookie] }
}

/**
 * Mails a new code for the sign-up that this browser or client began, else for the newest of the address. The answer is the same without one.
 * @throws AppError sign_up_closed, too_many_codes
 */
export const resendCode = async (ctx: Ctx, email: string, ticket?: string): Promise<void> => {
  requireOpenSignUp(ctx)
  await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const waiting = await findPendingRegistration(t, 'company', email, ctx.clock.now())
    const pending = ownAttempt(ctx, waiting, ticket) ?? waiting[0]
    if (pending === undefined) return
    await replacePendingCode(t, pending.id, await sendCode(t, ctx, email, pending.tenantDomain ?? ''))
    await recordEvent(t, ctx, { event: 'registration.started', actor: byAnonymous, target: { type: 'registration', id: pending.id } })
  })
  ctx.wakeOutbox()
}

export type CompletedSignUp = CreatedTenant & { readonly email: string; readonly domain: string }

const createCompany = async (t: TenantTx, ctx: Ctx, pending: PendingRegistration): Promise<CreatedTenant> => {
  await refuseSecondCompany(t, ctx)
  const domain = pending.tenantDomain ?? ''
  return inOtherTenant(t, asTenantId(pending.id), (own) =>
    createTenant(own, ctx, {
      name: companyNameOf(ctx.config, domain),
      domain,
      actor: byAnonymous,
      admin: { email: pending.email, name: pending.name || pending.email, passwordHash: pending.passwordHash, provedAt: ctx.clock.now() },
    }),
  )
}

/**
 * Verifies the code and creates tenant, administrator, project, client and seeds, all or none.
 * @throws AppError sign_up_closed, registration_expired, invalid_otp, tenant_domain_taken, single_tenant
 */
export const completeSignUp = async (ctx: Ctx, email: string, otp: string, ticket?: string): Promise<CompletedSignUp> => {
  requireOpenSignUp(ctx)
  const waiting = await findPendingRegistration(forTenant(ctx.db, SYSTEM_TENANT), 'company', email, ctx.clock.now())
  const own = finishableAttempt(ctx, waiting, ticket)
  if (own === undefined) throw new AppError('registration_expired')
  const refusal = { refusal: { event: 'tenant.created', tenantId: SYSTEM_TENANT } }
  const codeId = await matchCode(ctx, SYSTEM_TENANT, { lock: codeLockOf(ctx, 'admin_registration', email), email, code: otp })
  if (codeId !== own.codeId) throw new AppError('invalid_otp', undefined, refusal)
  const completed = await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const pending = await findPendingRegistrationByCode(t, codeId, ctx.clock.now())
    if (pending === undefined || !(await consumeCode(t, codeId, ctx.clock.now()))) throw new AppError('invalid_otp', undefined, refusal)
    const created = await createCompany(t, ctx, pending)
    await deletePendingRegistrations(t, [pending.id])
    return { ...created, email: pending.email, domain: pending.tenantDomain ?? '' }
  })
  ctx.metrics.count('tenant_operations_total', { operation: 'create', result: 'success' })
  return completed
}
