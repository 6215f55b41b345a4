// Purges tenants whose grace period is over, and deletes their audit events after the retention period.

import { acrossTenants, asOwner, inOtherTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { deleteAuditEventsBefore } from '#db/store/audit-retention'
import { deleteTenantRow, isDueForPurge, listTenantsInStatus, purgeTenantRows } from '#db/store/tenant-purge'
import { findPermissionHolders } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { type AuditCtx, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { type JobResult, job } from '#shared/platform/jobs/job'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

type Deps = Pick<BaseCtx, 'db' | 'config' | 'random' | 'wakeOutbox'> & AuditCtx

const HOUR = 3600
const TENANTS_AT_ONCE = 100
const KEPT_DAYS = 90
const BATCH = 5000

/** Recorded under the system tenant. The purged tenant has no rows left, so no mail is sent. */
const tell = (system: TenantTx, ctx: Deps, { email, language }: Awaited<ReturnType<typeof findPermissionHolders>>[number]) =>
  enqueueMail(system, ctx, {
    to: email,
    tenantName: displayTenantName(ctx, undefined),
    language: decidedLanguage(undefined, language),
    template: 'tenant_deleted',
    data: { at: ctx.clock.now() },
  })

/** Deletes the tenant, its directory entries and its keys in one transaction, and records it in the system tenant's audit log. */
const purge = (ctx: Deps, tenantId: TenantId): Promise<boolean> =>
  asOwner(ctx.db, tenantId, async (t) => {
    if (!(await isDueForPurge(t, ctx.clock.now()))) return false
    const notified = await findPermissionHolders(t, 'admin:access', ctx.clock.now())
    await ctx.keyring.destroyAll(t)
    const deleted = await purgeTenantRows(t)
    await inOtherTenant(t, SYSTEM_TENANT, async (system) => {
      await recordEvent(system, ctx, { event: 'tenant.purged', actor: bySystem, target: { type: 'tenant', id: tenantId }, after: { deleted } })
      for (const holder of notified) await tell(system, ctx, holder)
    })
    return true
  })

/** Deletes events of purged tenants. They are unreadable, and no administrator is left to notify. */
const age = (ctx: Deps, tenantId: TenantId): Promise<boolean> =>
  asOwner(ctx.db, tenantId, async (t) => {
    await deleteAuditEventsBefore(t, secondsAfter(ctx.clock.now(), -KEPT_DAYS * 24 * HOUR), BATCH)
    return deleteTenantRow(t)
  })

export const purgeTenants = async (ctx: Deps, stopBy: Date): Promise<JobResult> => {
  const result = { purged: 0, forgotten: 0 }
  for (const tenantId of await listTenantsInStatus(acrossTenants(ctx.db), 'deleting', TENANTS_AT_ONCE)) {
    if (ctx.clock.now() >= stopBy) return { ...result, stopped_early: 1 }
    if (await purge(ctx, tenantId)) result.purged++
    ctx.wakeOutbox()
  }
  for (const tenantId of await listTenantsInStatus(acrossTenants(ctx.db), 'deleted', TENANTS_AT_ONCE)) {
    if (ctx.clock.now() >= stopBy) return { ...result, stopped_early: 1 }
    if (await age(ctx, tenantId)) result.forgotten++
  }
  return result
}

export const tenantPurge = job<Deps>({ id: 'tenant-purge', every: HOUR, run: purgeTenants })
