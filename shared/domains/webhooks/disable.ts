// Disables a webhook whose receiver is unreachable for days or answers 410, and notifies the administrators.

import type { TenantTx } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import { findPermissionHolders } from '#db/store/users'
import { deleteWebhookFromQueue, updateWebhook, type WebhookEndpoint } from '#db/store/webhooks'
import type { BaseCtx } from '#shared/domains/context'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

type Deps = Pick<BaseCtx, 'clock' | 'random' | 'keyring' | 'hash' | 'config'>

/** Call in the transaction that counts the last failure, then call `ctx.wakeOutbox()`. Returns whether it was disabled. */
export const disableWebhook = async (t: TenantTx, ctx: Deps, endpoint: WebhookEndpoint, reason: 'gone' | 'failing'): Promise<boolean> => {
  const now = ctx.clock.now()
  const disabled = await updateWebhook(t, endpoint.id, { active: false, disabledReason: reason, updatedAt: now })
  if (disabled === undefined) return false
  await deleteWebhookFromQueue(t, { tenantId: t.tenantId, endpointId: endpoint.id })
  await recordEvent(t, ctx, {
    event: 'webhook.disabled',
    actor: bySystem,
    target: { type: 'webhook', id: endpoint.id },
    reason,
    before: { active: true },
    after: { active: false, failures: disabled.failures, last_status: disabled.lastStatus },
  })
  const tenant = await findTenant(t)
  const data = { host: new URL(endpoint.url).host, description: endpoint.description, reason, since: endpoint.failingSince ?? now }
  for (const administrator of await findPermissionHolders(t, 'admin:access', now)) {
    await enqueueMail(t, ctx, {
      to: administrator.email,
      tenantName: displayTenantName(ctx, tenant),
      language: decidedLanguage(tenant, administrator.language),
      subjectId: administrator.id,
      template: 'webhook_disabled',
      data,
    })
  }
  return true
}
