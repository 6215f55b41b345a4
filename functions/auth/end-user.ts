// An end user's sign-up, precheck and last step.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import { claimAnnouncement, findFactorKinds, findPermissionHolders, findUser } from '#db/store/users'
import { type Application, findApplication } from '#shared/domains/clients/application'
import { expiredTransactionCookie, tenantHint, tenantHintCookie } from '#shared/domains/login-transaction/login-transaction'
import { findApplicationUser } from '#shared/domains/sign-in/end-user'
import { type MintedToken, temporaryMembers } from '#shared/domains/sign-in/login-response'
import { mintFromLoginTransaction } from '#shared/domains/sign-in/mint-from-login-transaction'
import { completeEndUserSignUp, signUpDirectly } from '#shared/domains/sign-up/end-user'
import { allowsDirectSignUp, disclosesAccounts } from '#shared/domains/tenancy/compatibility'
import { normaliseEmail } from '#shared/kernel/email'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { HttpResult, withStatus } from '#shared/platform/http/route'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'
import type { User } from '#shared/platform/principals/principal'
import type { MintBody } from './admin-login.schema.ts'
import type { EndUserPrecheck, EndUserPrechecked, InitiateRegistration, VerifyOtp } from './end-user.schema.ts'
import type { Ctx } from './group.ts'

const TENANT_HINT_SECONDS = 1800

/** Stores the tenant of the sign-up in a cookie, since `verify-otp` names no client. */
export const initiateRegistration = async (ctx: Ctx, body: z.output<typeof InitiateRegistration>) => {
  const application = await findApplication(ctx, body.client_id)
  const known = disclosesAccounts(ctx) && (await findApplicationUser(ctx, application, body.email)) !== undefined
  const attempt = await signUpDirectly(ctx, application, body)
  const cookies = [tenantHintCookie(ctx, application.tenantId, TENANT_HINT_SECONDS), ...(attempt === undefined ? [] : [attempt.cookie])]
  if (known) return new HttpResult(withStatus(200, { response: 'true', message: 'User already exists' }), { cookies })
  return new HttpResult(
    withStatus(201, { message: 'Registration completed successfully', ...(attempt === undefined ? {} : { registration_ticket: attempt.ticket }) }),
    { cookies },
  )
}

const applicationOfVerification = async (ctx: Ctx, clientId: string | undefined): Promise<Application | undefined> => {
  if (clientId !== undefined) return findApplication(ctx, clientId)
  const tenantId = tenantHint(ctx)
  const client = tenantId === undefined ? undefined : await findDefaultClient(forTenant(ctx.db, tenantId))
  return tenantId === undefined || client === undefined ? undefined : { tenantId, clientId: client.id }
}

/**
 * Confirms the address with the mailed code. An error where the tenant requires no confirmation.
 * @throws AppError direct_registration, invalid_client, invalid_request, invalid_otp, registration_expired
 */
export const verifyOtp = async (ctx: Ctx, body: z.output<typeof VerifyOtp>) => {
  const application = await applicationOfVerification(ctx, body.client_id)
  const tenant = application === undefined ? undefined : await findTenant(forTenant(ctx.db, application.tenantId))
  if (application === undefined ? disclosesAccounts(ctx) : tenant !== undefined && allowsDirectSignUp(ctx, tenant))
    throw new AppError('direct_registration')
  if (application === undefined) throw new AppError('invalid_client', 'client_id is required', { field: 'body.client_id' })
  const email = normaliseEmail(body.email ?? '')
  if (email === undefined) throw new AppError('invalid_request', 'Invalid email format', { field: 'body.email' })
  if (body.otp === undefined) throw new AppError('invalid_request', 'otp is required', { field: 'body.otp' })
  await completeEndUserSignUp(ctx, application, { email, otp: body.otp, ticket: body.registration_ticket })
  return { message: 'Your address is confirmed. Sign in to continue.', email }
}

/**
 * The response is the same for every address, unless the deployment discloses accounts.
 * @throws AppError invalid_client; where accounts are disclosed not_found, invalid_credentials
 */
export const precheckEndUser = async (ctx: Ctx, body: z.output<typeof EndUserPrecheck>): Promise<z.input<typeof EndUserPrechecked>> => {
  const application = await findApplication(ctx, body.client_id)
  const t = forTenant(ctx.db, application.tenantId)
  const tenant = await findTenant(t)
  const { homeRealm } = await import('#shared/domains/federation/home-realm')
  const realm = await homeRealm(ctx, body.email, { kind: 'tenant', ...application })
  const answer = {
    email: body.email,
    exists: true as const,
    tenant_domain: tenant?.domain ?? '',
    tenant_id: application.tenantId as string,
    ...(realm === undefined ? {} : { available_providers: ['email', ...realm.providers.map(({ name }) => name)] }),
  }
  if (!disclosesAccounts(ctx)) return { ...answer, mfa_enabled: false, mfa_method: [] }
  const user = await findApplicationUser(ctx, application, body.email)
  if (user === undefined) throw new AppError('not_found', 'User not found')
  if (!user.active) throw new AppError('invalid_credentials', 'User account is inactive')
  const kinds = await findFactorKinds(t, user.id)
  return { ...answer, mfa_enabled: kinds.length > 0, mfa_method: kinds }
}

/** The only place that issues a token to an end user. @throws AppError mfa_verification_failed */
export const finishEndUserLogin = async (ctx: Ctx, body: z.output<typeof MintBody>): Promise<HttpResult<z.input<typeof MintedToken>>> => {
  if (!body.mfa_verified) throw new AppError('mfa_verification_failed')
  const minted = await mintFromLoginTransaction(ctx, {
    email: body.email,
    tenantId: body.tenant_id,
    transactionToken: body.login_ticket,
    admits: async () => true,
  })
  return new HttpResult(
    {
      access_token: minted.token,
      token_type: 'Bearer',
      expires_in: minted.expiresInSeconds,
      first_login: minted.firstLogin,
      tenant_id: minted.tenant.tenantId,
      email: minted.user.email,
      ...temporaryMembers(minted.user),
    },
    { cookies: [...minted.cookies, expiredTransactionCookie(ctx, 'login')] },
  )
}

/** Notifies the tenant's administrators of a new person, at most once per person. */
export const announceNewUser = async (ctx: Ctx, principal: User): Promise<void> => {
  await atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    const now = ctx.clock.now()
    if (!(await claimAnnouncement(t, principal.userId, now))) return
    const [user, tenant] = [await findUser(t, principal.userId), await findTenant(t)]
    for (const admin of await findPermissionHolders(t, 'admin:access', now)) {
      await enqueueMail(t, ctx, {
        to: admin.email,
        tenantName: displayTenantName(ctx, tenant),
        language: decidedLanguage(tenant, admin.language),
        subjectId: principal.userId,
        template: 'new_user_registered',
        data: { email: principal.email, at: now, ...(user?.name ? { name: user.name } : {}) },
      })
    }
    await recordEvent(t, ctx, { event: 'user.announced', actor: byUser(principal), target: { type: 'user', id: principal.userId } })
  })
  ctx.wakeOutbox()
}
