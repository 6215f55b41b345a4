// The password step, with the same cost and the same answer for unknown, wrong, disabled, suspended and locked accounts.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type Account, findBeforePassword, type SignInSnapshot, type SignInTenant } from '#db/store/sign-in'
import { isLocked, lockUser, updateUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { allowsDirectSignUp } from '#shared/domains/tenancy/compatibility'
import { AppError } from '#shared/kernel/errors'
import { knownDevice } from '#shared/platform/http/guard'
import { refuseWrongPassword } from './wrong-password.ts'

/** Generic, regardless of the cause. */
export const invalidCredentials = (tenantId: TenantId | undefined, userId: string | undefined): AppError =>
  new AppError('invalid_credentials', undefined, {
    refusal: { tenantId: tenantId ?? SYSTEM_TENANT, ...(userId === undefined ? {} : { userId }), event: 'user.signed_in' },
  })

const deviceHashOf = (ctx: RequestCtx, email: string): Uint8Array | undefined => {
  const random = knownDevice(ctx, ctx.request, email)
  return random === undefined ? undefined : ctx.hash('device-row', random)
}

export type VerifiedPassword = {
  readonly user: Account
  readonly tenant: SignInTenant
  /** Whether a live binding makes the person an administrator. */
  readonly hasAdminAccess: boolean
  /** The snapshot that was read with the password, for the next step; undefined if the password's hash was renewed since. */
  readonly snapshot: SignInSnapshot | undefined
}

/**
 * Verifies the password of a person in a tenant. Computes exactly one hash and runs the same statements for every address.
 * Routes that call this emit `user.locked`.
 * @throws AppError invalid_credentials; after a correct password: password_reset_required, temporary_password_expired
 */
export const checkPassword = async (ctx: RequestCtx, tenantId: TenantId | undefined, email: string, password: string): Promise<VerifiedPassword> => {
  const t = forTenant(ctx.db, tenantId ?? SYSTEM_TENANT)
  const now = ctx.clock.now()
  const deviceHash = deviceHashOf(ctx, email)
  const before = await findBeforePassword(t, email, deviceHash, now)
  for (const key of before.keys) await ctx.keyring.learn(t, key)
  const { tenant, device, hasAdminAccess, snapshot } = before
  const user = tenantId === undefined ? undefined : before.user
  const locked = user !== undefined && isLocked(device ?? user, now)
  const { fits, renew } = await ctx.passwords.verify(password, user?.passwordHash ?? undefined)
  const usable = user?.active === true && user.deletedAt === null && tenant?.status === 'active'
  if (!fits || !usable || locked) {
    // Attempts during a lock are not counted, so they do not extend it.
    const counted = fits || locked ? undefined : user
    await refuseWrongPassword(ctx, { tenantId: t.tenantId, tenant, user: counted, email, deviceHash: device === undefined ? undefined : deviceHash })
    ctx.metrics.count('auth_failures_total', { auth_type: 'password', reason: 'invalid_credentials', tenant_id: tenantId ?? 'unknown' })
    throw invalidCredentials(tenantId, user?.id)
  }
  requireUsable(user, t.tenantId, now)
  if (renew) return { user: await renewHash(ctx, t.tenantId, user, password), tenant, hasAdminAccess, snapshot: undefined }
  return { user, tenant, hasAdminAccess, snapshot }
}

/** Errors that are disclosed only after the correct password. */
const requireUsable = (user: Account, tenantId: TenantId, now: Date): void => {
  const refusal = { refusal: { tenantId, userId: user.id, event: 'user.signed_in' } }
  if (user.passwordResetRequired) throw new AppError('password_reset_required', undefined, refusal)
  if (user.temporaryPassword && user.temporaryPasswordExpiresAt !== null && user.temporaryPasswordExpiresAt <= now) {
    throw new AppError('temporary_password_expired', undefined, refusal)
  }
}

/** An end user who signed up needs a proved address, unless the tenant admits people without one. @throws AppError email_not_verified */
export const requireProvedAddress = (ctx: RequestCtx, tenant: SignInTenant, user: Account): void => {
  if (user.emailVerifiedAt !== null || user.provider !== 'custom' || allowsDirectSignUp(ctx, tenant)) return
  throw new AppError('email_not_verified', undefined, { refusal: { tenantId: user.tenantId, userId: user.id, event: 'user.signed_in' } })
}

type State = Pick<Account, 'active' | 'deletedAt' | 'passwordResetRequired' | 'passwordHash' | 'validFrom'>

/** Whether the account is unchanged since its password was checked. */
export const isUnchanged = (before: State, now: State | undefined): boolean =>
  now?.active === true &&
  now.deletedAt === null &&
  !now.passwordResetRequired &&
  now.passwordHash === before.passwordHash &&
  now.validFrom.getTime() === before.validFrom.getTime()

/** Renews the hash while the password is known: stronger parameters, or bcrypt to argon2id. Not audited. */
const renewHash = async (ctx: RequestCtx, tenantId: TenantId, user: Account, password: string): Promise<Account> => {
  const passwordHash = await ctx.passwords.hash(password)
  const renewed = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    // A password that was changed meanwhile must not be restored.
    const held = await lockUser(t, user.id)
    return isUnchanged(user, held) && (await updateUser(t, user.id, { passwordHash }))
  })
  return renewed ? { ...user, passwordHash } : user
}
