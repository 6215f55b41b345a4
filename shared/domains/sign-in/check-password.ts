// The password step, the same for everybody. Unknown, wrong, disabled, suspended and locked cost the same and answer the same.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type Account, findBeforePassword, type SignInSnapshot, type SignInTenant } from '#db/store/sign-in'
import { isLocked, lockUser, updateUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { allowsDirectSignUp } from '#shared/domains/tenancy/compatibility'
import { AppError } from '#shared/kernel/errors'
import { knownDevice } from '#shared/platform/http/guard'
import { refuseWrongPassword } from './wrong-password.ts'

/** Generic, whatever was wrong. */
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
  /** Whether a live binding makes the person an administrator; neither a column nor the door does. */
  readonly hasAdminAccess: boolean
  /** What was read with the password, for the next step; undefined where the password's hash was renewed since. */
  readonly snapshot: SignInSnapshot | undefined
}

/**
 * Whose password this is, in that tenant. Computes exactly one hash and asks the same of the database, whoever it is.
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
    // What a lock refuses is not counted: guessing on does not make it longer.
    const counted = fits || locked ? undefined : user
    await refuseWrongPassword(ctx, { tenantId: t.tenantId, tenant, user: counted, email, deviceHash: device === undefined ? undefined : deviceHash })
    ctx.metrics.count('auth_failures_total', { auth_type: 'password', reason: 'invalid_credentials', tenant_id: tenantId ?? 'unknown' })
    throw invalidCredentials(tenantId, user?.id)
  }
  requireUsable(user, t.tenantId, now)
  if (renew) return { user: await renewHash(ctx, t.tenantId, user, password), tenant, hasAdminAccess, snapshot: undefined }
  return { user, tenant, hasAdminAccess, snapshot }
}

/** What only somebody with the right password is told. */
const requireUsable = (user: Account, tenantId: TenantId, now: Date): void => {
  const refusal = { refusal: { tenantId, userId: user.id, event: 'user.signed_in' } }
  if (user.passwordResetRequired) throw new AppError('password_reset_required', undefined, refusal)
  if (user.temporaryPassword && user.temporaryPasswordExpiresAt !== null && user.temporaryPasswordExpiresAt <= now) {
    throw new AppError('temporary_password_expired', undefined, refusal)
  }
}

/** An end user who signed up comes in once the address was proved, unless the tenant lets people in before; through whatever door. @throws AppError email_not_verified */
export const requireProvedAddress = (ctx: RequestCtx, tenant: SignInTenant, user: Account): void => {
  if (user.emailVerifiedAt !== null || user.provider !== 'custom' || allowsDirectSignUp(ctx, tenant)) return
  throw new AppError('email_not_verified', undefined, { refusal: { tenantId: user.tenantId, userId: user.id, event: 'user.signed_in' } })
}

type State = Pick<Account, 'active' | 'deletedAt' | 'passwordResetRequired' | 'passwordHash' | 'validFrom'>

/** Whether nothing happened to the account since its password was checked. */
export const isUnchanged = (before: State, now: State | undefined): boolean =>
  now?.active === true &&
  now.deletedAt === null &&
  !now.passwordResetRequired &&
  now.passwordHash === before.passwordHash &&
  now.validFrom.getTime() === before.validFrom.getTime()

/** Stronger parameters, or bcrypt left behind: the hash is renewed while the password is at hand. Not a change for the record. */
const renewHash = async (ctx: RequestCtx, tenantId: TenantId, user: Account, password: string): Promise<Account> => {
  const passwordHash = await ctx.passwords.hash(password)
  const renewed = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    // A password that was changed meanwhile must not come back.
    const held = await lockUser(t, user.id)
    return isUnchanged(user, held) && (await updateUser(t, user.id, { passwordHash }))
  })
  return renewed ? { ...user, passwordHash } : user
}
