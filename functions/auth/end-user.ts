// An end user's sign-up, precheck and last step.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import { announceOnce, findFactorKinds, findHolders, findUser } from '#db/store/users'
import { type Door, doorOf } from '#shared/domains/clients/application'
import { hintCookie, hintedTenant, spentCookie } from '#shared/domains/login-transaction/login-transaction'
import { accountAt } from '#shared/domains/sign-in/end-user'
import { type MintedToken, temporaryMembers } from '#shared/domains/sign-in/login-response'
import { mintFromTicket } from '#shared/domains/sign-in/mint-from-ticket'
import { completeEndUserSignUp, signUpDirectly } from '#shared/domains/sign-up/end-user'
import { allowsDirectSignUp, disclosesAccounts } from '#shared/domains/tenancy/compatibility'
import { normaliseEmail } from '#shared/kernel/email'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { as, Sent } from '#shared/platform/http/route'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { shownTenantName } from '#shared/platform/pages/tenant-name'
import type { User } from '#shared/platform/principals/principal'
import type { MintBody } from './admin-login.schema.ts'
import type { EndUserPrecheck, EndUserPrechecked, InitiateRegistration, VerifyOtp } from './end-user.schema.ts'
import type { Ctx } from './group.ts'

const REMEMBERED_SECONDS = 1800

/** Remembers at which tenant's door the browser signed up, since `verify-otp` names no client. */
export const initiateRegistration = async (ctx: Ctx, body: z.output<typeof InitiateRegistration>) => {
  const door = await doorOf(ctx, body.client_id)
  const known = disclosesAccounts(ctx) && (await accountAt(ctx, door, body.email)) !== undefined
  await signUpDirectly(ctx, door, body)
  const cookies = [hintCookie(ctx, door.tenantId, REMEMBERED_SECONDS)]
  if (known) return new Sent(as(200, { response: 'true', message: 'User already exists' }), { cookies })
  return new Sent(as(201, { message: 'Registration completed successfully' }), { cookies })
}

const doorOfVerification = async (ctx: Ctx, clientId: string | undefined): Promise<Door | undefined> => {
  if (clientId !== undefined) return doorOf(ctx, clientId)
  const tenantId = hintedTenant(ctx)
  const client = tenantId === undefined ? undefined : await findDefaultClient(forTenant(ctx.db, tenantId))
  return tenantId === undefined || client === undefined ? undefined : { tenantId, clientId: client.id }
}

/**
 * Confirms the address with the mailed code. Where the tenant lets people in without it there is nothing to confirm.
 * @throws AppError direct_registration, invalid_client, invalid_request, invalid_otp, registration_expired
 */
export const verifyOtp = async (ctx: Ctx, body: z.output<typeof VerifyOtp>) => {
  const door = await doorOfVerification(ctx, body.client_id)
  const tenant = door === undefined ? undefined : await findTenant(forTenant(ctx.db, door.tenantId))
  if (door === undefined ? disclosesAccounts(ctx) : tenant !== undefined && allowsDirectSignUp(ctx, tenant)) throw new AppError('direct_registration')
  if (door === undefined) throw new AppError('invalid_client', 'client_id is required', { field: 'body.client_id' })
  const email = normaliseEmail(body.email ?? '')
  if (email === undefined) throw new AppError('invalid_request', 'Invalid email format', { field: 'body.email' })
  if (body.otp === undefined) throw new AppError('invalid_request', 'otp is required', { field: 'body.otp' })
  await completeEndUserSignUp(ctx, door, email, body.otp)
  return { message: 'Your address is confirmed. Sign in to continue.', email }
}

/** Alike for every address, unless the deployment discloses accounts. @throws AppError invalid_client; where accounts are disclosed not_found, invalid_credentials */
export const precheckEndUser = async (ctx: Ctx, body: z.output<typeof EndUserPrecheck>): Promise<z.input<typeof EndUserPrechecked>> => {
  const door = await doorOf(ctx, body.client_id)
  const t = forTenant(ctx.db, door.tenantId)
  const tenant = await findTenant(t)
  const { homeRealm } = await import('#shared/domains/federation/home-realm')
  const realm = await homeRealm(ctx, body.email, { kind: 'tenant', ...door })
  const answer = {
    email: body.email,
    exists: true as const,
    tenant_domain: tenant?.domain ?? '',
    tenant_id: door.tenantId as string,
    ...(realm === undefined ? {} : { available_providers: ['email', ...realm.providers.map(({ name }) => name)] }),
  }
  if (!disclosesAccounts(ctx)) return { ...answer, mfa_enabled: false, mfa_method: [] }
  const user = await accountAt(ctx, door, body.email)
  if (user === undefined) throw new AppError('not_found', 'User not found')
  if (!user.active) throw new AppError('invalid_credentials', 'User account is inactive')
  const kinds = await findFactorKinds(t, user.id)
  return { ...answer, mfa_enabled: kinds.length > 0, mfa_method: kinds }
}

/** The only place where an end user's token comes from. @throws AppError mfa_verification_failed */
export const finishEndUserLogin = async (ctx: Ctx, body: z.output<typeof MintBody>): Promise<Sent<z.input<typeof MintedToken>>> => {
  if (!body.mfa_verified) throw new AppError('mfa_verification_failed')
  const minted = await mintFromTicket(ctx, { email: body.email, tenantId: body.tenant_id, ticket: body.login_ticket, admits: async () => true })
  return new Sent(
    {
      access_token: minted.token,
      token_type: 'Bearer',
      expires_in: minted.expiresInSeconds,
      first_login: minted.firstLogin,
      tenant_id: minted.tenant.tenantId,
      email: minted.user.email,
      ...temporaryMembers(minted.user),
    },
    { cookies: [...minted.cookies, spentCookie(ctx, 'login')] },
  )
}

/** Tells the tenant's administrators of a new person, at most once a person. */
export const announceNewUser = async (ctx: Ctx, principal: User): Promise<void> => {
  await atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    const now = ctx.clock.now()
    if (!(await announceOnce(t, principal.userId, now))) return
    const [user, tenant] = [await findUser(t, principal.userId), await findTenant(t)]
    for (const admin of await findHolders(t, 'admin:access', now)) {
      await enqueueMail(t, ctx, {
        to: admin.email,
        tenantName: shownTenantName(ctx, tenant),
        language: decidedLanguage(tenant, admin.language),
        subjectId: principal.userId,
        template: 'new_user_registered',
        data: { email: principal.email, at: now, ...(user?.name ? { name: user.name } : {}) },
      })
    }
    await record(t, ctx, { event: 'user.announced', actor: byUser(principal), target: { type: 'user', id: principal.userId } })
  })
  ctx.wakeOutbox()
}
