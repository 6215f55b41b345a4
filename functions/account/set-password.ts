// Sets a first password through a mailed one-time link: for a platform administrator, an invitation, or a synced account.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { consumeLoginTransaction } from '#db/store/login-transactions'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUser, lockUser, type User, updateUser, verifyAdministrator } from '#db/store/users'
import { hashNewPassword } from '#shared/domains/account/new-password'
import { isStillInvited } from '#shared/domains/authority/inviter'
import { loadLoginTransaction, readTransactionHandle, transactionHandleHash } from '#shared/domains/login-transaction/login-transaction'
import { takeFromCreator } from '#shared/domains/recovery/first-proof'
import { replacePassword } from '#shared/domains/recovery/reset'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { PASSWORD_LENGTH } from '#shared/platform/crypto/password-length'
import { displayTenantName } from '#shared/platform/pages/tenant-name'
import type { Ctx } from './group.ts'
import type { OpenedLink, OpenLink, SetPassword } from './set-password.schema.ts'

type Link = { readonly t: TenantDb; readonly tenant: Tenant; readonly user: User; readonly hash: Uint8Array }

const expired = (): AppError => new AppError('link_expired', undefined, { refusal: { event: 'user.password_changed' } })

/** Loads the account of a valid link. @throws AppError link_expired */
const linkOf = async (ctx: Ctx, text: string): Promise<Link> => {
  const handle = readTransactionHandle(ctx, 'set_password', text)
  const loginTransaction = await loadLoginTransaction(ctx, 'set_password', handle)
  if (handle === undefined || loginTransaction === undefined || loginTransaction.userId === null) throw expired()
  const t = forTenant(ctx.db, handle.tenantId)
  const [tenant, user] = [await findTenant(t), await findUser(t, loginTransaction.userId)]
  const usable = tenant?.status === 'active' && user?.active === true && user.deletedAt === null
  // The link proves only the address that it was sent to.
  if (!usable || loginTransaction.data?.email !== user.email || !(await atomically(t, (tx) => isStillInvited(tx, ctx, user)))) throw expired()
  return { t, tenant, user, hash: transactionHandleHash(ctx, handle.text) }
}

/** Returns what the page displays to the holder of the link. @throws AppError link_expired */
export const openLink = async (ctx: Ctx, body: z.output<typeof OpenLink>): Promise<z.input<typeof OpenedLink>> => {
  const { tenant, user } = await linkOf(ctx, body.ticket)
  const shortest = tenant.settings.requireSecondFactor === true ? PASSWORD_LENGTH.withSecondFactor : PASSWORD_LENGTH.alone
  return { tenant_name: displayTenantName(ctx, tenant), email: user.email, shortest }
}

/**
 * Sets the password, verifies the address and consumes the link. A refused password does not consume it.
 * @throws AppError link_expired, password_*
 */
export const setPassword = async (ctx: Ctx, body: z.output<typeof SetPassword>): Promise<undefined> => {
  const { t, tenant, user, hash } = await linkOf(ctx, body.ticket)
  const passwordHash = await hashNewPassword(ctx, tenant, user, body.new_password)
  await atomically(t, async (tx) => {
    const now = ctx.clock.now()
    const held = await lockUser(tx, user.id)
    // Check again under the lock: the account, its address or the inviter's permission may have changed since the link was read.
    const isStill = held?.active === true && held.deletedAt === null && held.email === user.email
    if (!isStill || !(await isStillInvited(tx, ctx, held)) || (await consumeLoginTransaction(tx, hash, now)) === undefined) throw expired()
    await takeFromCreator(tx, ctx, held)
    await replacePassword(tx, ctx, held, passwordHash)
    const target = { type: 'user', id: user.id }
    await updateUser(tx, user.id, { emailVerifiedAt: now })
    if (user.emailVerifiedAt === null) {
      await recordEvent(tx, ctx, { event: 'user.email_verified', actor: byAnonymous, target })
    }
    // Opening the mailed link proves the address, so it may select the tenant at sign-in from now on.
    await verifyAdministrator(tx, emailHash(ctx, user.email), now)
    await recordEvent(tx, ctx, { event: 'user.password_changed', actor: byAnonymous, target })
  })
  ctx.wakeOutbox()
  return undefined
}
