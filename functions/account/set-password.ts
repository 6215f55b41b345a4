// A first password through a mailed one-time link: a platform administrator, an invitation, a synced account.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { findTenant, type Tenant } from '#db/store/tenants'
import { consumeTicket } from '#db/store/tickets'
import { findUser, lockUser, proveAdministrator, type User, updateUser } from '#db/store/users'
import { hashNewPassword } from '#shared/domains/account/new-password'
import { isStillInvited } from '#shared/domains/authority/inviter'
import { handleHash, loadTicket, readHandle } from '#shared/domains/login-transaction/login-transaction'
import { replacePassword } from '#shared/domains/recovery/reset'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, record } from '#shared/platform/audit/record'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { PASSWORD_LENGTH } from '#shared/platform/crypto/password-length'
import { shownTenantName } from '#shared/platform/pages/tenant-name'
import type { Ctx } from './group.ts'
import type { OpenedLink, OpenLink, SetPassword } from './set-password.schema.ts'

type Link = { readonly t: TenantDb; readonly tenant: Tenant; readonly user: User; readonly hash: Uint8Array }

const expired = (): AppError => new AppError('link_expired', undefined, { refusal: { event: 'user.password_changed' } })

/** Whose link this is, while it is good. @throws AppError link_expired */
const linkOf = async (ctx: Ctx, text: string): Promise<Link> => {
  const handle = readHandle(ctx, 'set_password', text)
  const ticket = await loadTicket(ctx, 'set_password', handle)
  if (handle === undefined || ticket === undefined || ticket.userId === null) throw expired()
  const t = forTenant(ctx.db, handle.tenantId)
  const [tenant, user] = [await findTenant(t), await findUser(t, ticket.userId)]
  const usable = tenant?.status === 'active' && user?.active === true && user.deletedAt === null
  // It proves the address that it was sent to, and no later one.
  if (!usable || ticket.data?.email !== user.email || !(await atomically(t, (tx) => isStillInvited(tx, ctx, user)))) throw expired()
  return { t, tenant, user, hash: handleHash(ctx, handle.text) }
}

/** What the page shows to who holds the link. @throws AppError link_expired */
export const openLink = async (ctx: Ctx, body: z.output<typeof OpenLink>): Promise<z.input<typeof OpenedLink>> => {
  const { tenant, user } = await linkOf(ctx, body.ticket)
  const shortest = tenant.settings.requireSecondFactor === true ? PASSWORD_LENGTH.withSecondFactor : PASSWORD_LENGTH.alone
  return { tenant_name: shownTenantName(ctx, tenant), email: user.email, shortest }
}

/**
 * Sets the password and proves the address. The link is spent; a password that is refused leaves it.
 * @throws AppError link_expired, password_*
 */
export const setPassword = async (ctx: Ctx, body: z.output<typeof SetPassword>): Promise<undefined> => {
  const { t, tenant, user, hash } = await linkOf(ctx, body.ticket)
  const passwordHash = await hashNewPassword(ctx, tenant, user, body.new_password)
  await atomically(t, async (tx) => {
    const now = ctx.clock.now()
    const held = await lockUser(tx, user.id)
    // What was true when the link was read may have ended since: the account, the address that the link proves, or the right of who invited.
    const isStill = held?.active === true && held.deletedAt === null && held.email === user.email
    if (!isStill || !(await isStillInvited(tx, ctx, held)) || (await consumeTicket(tx, hash, now)) === undefined) throw expired()
    await replacePassword(tx, ctx, held, passwordHash)
    const target = { type: 'user', id: user.id }
    await updateUser(tx, user.id, { emailVerifiedAt: now })
    if (user.emailVerifiedAt === null) {
      await record(tx, ctx, { event: 'user.email_verified', actor: byAnonymous, target })
    }
    // Who opened the mailed link has proved the address: from now on it may choose the tenant at sign-in.
    await proveAdministrator(tx, emailHash(ctx, user.email), now)
    await record(tx, ctx, { event: 'user.password_changed', actor: byAnonymous, target })
  })
  ctx.wakeOutbox()
  return undefined
}
