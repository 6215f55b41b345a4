// Deleting a tenant: it is closed at once and purged after a grace period, during which the restore token reopens it.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import {
  consumeLoginTransaction,
  endLoginTransactionsOfPurpose,
  findLoginTransactionOfPurpose,
  type LoginTransaction,
} from '#db/store/login-transactions'
import { deleteWaitingMessages } from '#db/store/outbox'
import { findTenant, findUsage, lockPolicy, scheduleDeletion, setTenantStatus, type Tenant } from '#db/store/tenants'
import { findPermissionHolders, findPrimaryAdministrator } from '#db/store/users'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import type { RequestCtx } from '#shared/domains/context'
import {
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { type Actor, byAnonymous, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import type { User } from '#shared/platform/principals/principal'
import { requireTenant } from './people.ts'

/** How long a deleted tenant can be restored. */
export const GRACE_SECONDS = 7 * 24 * 3600
const RECENT_SECONDS = 15 * 60

/** The tenant's primary administrator or a platform administrator, with a recent sign-in or the tenant's domain as confirmation. */
const requireMayDelete = async (t: TenantTx, ctx: RequestCtx, caller: User, domain: string, confirm: string | undefined): Promise<void> => {
  const primary = await findPrimaryAdministrator(t)
  if (!isPlatformAdministrator(caller) && primary?.id !== caller.userId)
    throw new AppError('forbidden', 'Only the primary administrator can delete the tenant.')
  const recent = secondsAfter(caller.authTime, RECENT_SECONDS) >= ctx.clock.now()
  if (recent || confirm === domain) return
  throw new AppError('insufficient_user_authentication', 'Sign in again, or confirm with the domain of the tenant.', {
    headers: { 'WWW-Authenticate': `Bearer realm="authsec", error="insufficient_user_authentication", max_age="${RECENT_SECONDS}"` },
  })
}

/** The status to restore, which the token keeps: deletion must not end a suspension. */
const statusBefore = (restore: LoginTransaction | undefined): 'active' | 'suspended' =>
  restore?.data?.status === 'suspended' ? 'suspended' : 'active'

const findRestoreTransaction = (t: TenantTx, ctx: Pick<RequestCtx, 'clock'>): Promise<LoginTransaction | undefined> =>
  findLoginTransactionOfPurpose(t, 'tenant_restore', ctx.clock.now())

const REMINDER_SECONDS = 24 * 3600

/** Mails every administrator now and on the last day, because they cannot sign in to read the date. */
const announce = async (t: TenantTx, ctx: RequestCtx, tenant: Tenant, on: Date, restoreToken: string): Promise<void> => {
  const data = { on, restoreToken, restoreUrl: `${ctx.config.BASE_URL}/tenants/restore` }
  const lastDay = secondsAfter(on, -REMINDER_SECONDS)
  for (const { id, email, language } of await findPermissionHolders(t, 'admin:access', ctx.clock.now())) {
    const mail = {
      to: email,
      tenantName: tenant.name,
      language: decidedLanguage(tenant, language),
      subjectId: id,
      template: 'tenant_deletion',
    } as const
    await enqueueMail(t, ctx, { ...mail, data: { ...data, stage: 'asked' } })
    await enqueueMail(t, ctx, { ...mail, data: { ...data, stage: 'reminder' }, notBefore: lastDay, kind: 'deletion_reminder' })
  }
}

/**
 * Closes the tenant: every session ends, no sign-in is possible, and it is purged after the grace period.
 * @throws AppError not_found, forbidden, insufficient_user_authentication
 */
export const deleteTenant = async (ctx: RequestCtx, caller: User, tenantId: TenantId, confirm: string | undefined) => {
  if (tenantId === SYSTEM_TENANT) throw new AppError('forbidden', 'The deployment cannot delete itself.')
  const now = ctx.clock.now()
  const deleteAfter = secondsAfter(now, GRACE_SECONDS)
  const answer = await actInTenant(ctx, caller, tenantId, async (t) => {
    const tenant = await requireTenant(t)
    await requireMayDelete(t, ctx, caller, tenant.domain, confirm)
    const status = tenant.status === 'deleting' ? statusBefore(await findRestoreTransaction(t, ctx)) : tenant.status
    await setTenantStatus(t, 'deleting', now)
    await deleteWaitingMessages(t, 'deletion_reminder')
    await scheduleDeletion(t, deleteAfter, now)
    await endLoginTransactionsOfPurpose(t, 'tenant_restore', now)
    const restore = await startLoginTransaction(t, ctx, {
      purpose: 'tenant_restore',
      userId: null,
      clientId: null,
      verified: [],
      data: { status },
      seconds: GRACE_SECONDS,
    })
    await announce(t, ctx, tenant, deleteAfter, restore)
    await recordEvent(t, ctx, {
      event: 'tenant.deletion_scheduled',
      actor: byUser(caller),
      target: { type: 'tenant', id: tenantId },
      before: { status: tenant.status },
      after: { status: 'deleting', delete_after: deleteAfter.toISOString() },
    })
    return {
      message: 'The tenant is closed and will be deleted.',
      tenant_id: tenantId as string,
      deleted_counts: Object.fromEntries(await findUsage(t)),
      database_dropped: false as const,
      warning: `All data of this tenant is permanently deleted after ${deleteAfter.toISOString()}. Keep the restore token: it is the only way to undo the deletion.`,
      status: 'deleting' as const,
      delete_after: deleteAfter.toISOString(),
      restore_token: restore,
    }
  })
  ctx.wakeOutbox()
  return answer
}

/** Reopens the tenant. Call under its policy lock. */
const reopen = async (t: TenantTx, ctx: RequestCtx, actor: Actor, status: 'active' | 'suspended'): Promise<void> => {
  const tenant = await findTenant(t)
  if (tenant?.status !== 'deleting' || tenant.deleteAfter === null || tenant.deleteAfter <= ctx.clock.now()) throw new AppError('not_found')
  await setTenantStatus(t, status, ctx.clock.now())
  await scheduleDeletion(t, null, ctx.clock.now())
  await deleteWaitingMessages(t, 'deletion_reminder')
  await endLoginTransactionsOfPurpose(t, 'tenant_restore', ctx.clock.now())
  await recordEvent(t, ctx, {
    event: 'tenant.restored',
    actor,
    target: { type: 'tenant', id: t.tenantId },
    before: { status: 'deleting', delete_after: tenant.deleteAfter.toISOString() },
    after: { status },
  })
}

const restored = (tenantId: string) => ({ message: 'The tenant is restored.', tenant_id: tenantId })

/** For platform administrators. @throws AppError not_found when the tenant is not being deleted, or the grace period is over */
export const restoreTenant = async (ctx: RequestCtx, caller: User, tenantId: TenantId) => {
  await actInTenant(ctx, caller, tenantId, async (t) => reopen(t, ctx, byUser(caller), statusBefore(await findRestoreTransaction(t, ctx))))
  return restored(tenantId)
}

/** By the token from the deletion, once. @throws AppError restore_token_invalid, not_found */
export const restoreByToken = async (ctx: RequestCtx, token: string) => {
  const handle = readTransactionHandle(ctx, 'tenant_restore', token)
  const loginTransaction = await loadLoginTransaction(ctx, 'tenant_restore', handle)
  if (handle === undefined || loginTransaction === undefined)
    throw new AppError('restore_token_invalid', undefined, { refusal: { event: 'tenant.restored' } })
  await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    await lockPolicy(t)
    const used = await consumeLoginTransaction(t, transactionHandleHash(ctx, handle.text), ctx.clock.now())
    if (used === undefined) throw new AppError('restore_token_invalid')
    await reopen(t, ctx, byAnonymous, statusBefore(used))
  })
  return restored(handle.tenantId)
}
