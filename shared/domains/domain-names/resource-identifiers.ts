// Identifiers of resource servers below a domain belong to the tenant that proved it. Another tenant that took one before loses it: tokens of two tenants for one
// audience could not be told apart there.
import { inOtherTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findTenantOfHost } from '#db/store/domains'
import { findIdentifiersOfOthers, releaseIdentifiers, type TakenIdentifier } from '#db/store/resource-servers'
import { findTenant } from '#db/store/tenants'
import { findPermissionHolders } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

type Deps = Pick<RequestCtx, 'clock' | 'random' | 'keyring' | 'hash' | 'config' | 'request'>

/** The event and the mail name at most this many. */
const MOST_NAMED = 50

const releaseIn = async (t: TenantTx, ctx: Deps, domain: string, ids: readonly string[]): Promise<string[]> => {
  const at = ctx.clock.now()
  const resources = await releaseIdentifiers(t, ids, at)
  const named = resources.slice(0, MOST_NAMED)
  const after = { domain, resources: named, count: resources.length }
  await recordEvent(t, ctx, { event: 'resource_servers.released', actor: bySystem, target: { type: 'domain', id: domain }, after })
  const tenant = await findTenant(t)
  for (const { id, email, language } of await findPermissionHolders(t, 'clients:write', at))
    await enqueueMail(t, ctx, {
      to: email,
      tenantName: displayTenantName(ctx, tenant),
      language: decidedLanguage(tenant, language),
      subjectId: id,
      template: 'resources_released',
      data: { domain, resources: named, at },
    })
  return resources
}

const release = async (t: TenantTx, ctx: Deps, domain: string, taken: readonly TakenIdentifier[]): Promise<string[]> => {
  const byTenant = new Map<TenantId, string[]>()
  for (const { tenantId, resourceServerId } of taken) byTenant.set(tenantId, [...(byTenant.get(tenantId) ?? []), resourceServerId])
  const released: string[] = []
  for (const [tenantId, ids] of byTenant) released.push(...(await inOtherTenant(t, tenantId, (other) => releaseIn(other, ctx, domain, ids))))
  return released
}

/**
 * Releases the identifiers that other tenants took at the domain that this tenant has just proved, except those below a closer domain of another tenant. Call it
 * under `lockIdentifiers`; emits `resource_servers.released` in those tenants. Returns the identifiers.
 */
export const releaseIdentifiersOf = async (t: TenantTx, ctx: Deps, domain: string): Promise<string[]> => {
  const taken = await findIdentifiersOfOthers(t, domain)
  const owners = new Map<string, TenantId | undefined>()
  for (const { host } of taken) if (host !== null && !owners.has(host)) owners.set(host, await findTenantOfHost(t, host))
  return release(
    t,
    ctx,
    domain,
    taken.filter(({ host }) => host !== null && owners.get(host) === t.tenantId),
  )
}

/** Releases identifiers of other tenants at a host that this tenant has proved. The same rules apply. */
export const releaseIdentifiersTo = async (t: TenantTx, ctx: Deps, host: string, taken: readonly TakenIdentifier[]): Promise<void> => {
  await release(t, ctx, host, taken)
}
