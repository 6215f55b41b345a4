// Webhook endpoints of a tenant. Delivery is in shared/domains/webhooks.
import type * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { releaseQuota, useQuota } from '#db/store/tenants'
import {
  deleteWebhook,
  deleteWebhookFromQueue,
  findWebhook,
  findWebhooks,
  insertWebhook,
  lockWebhook,
  queueWebhook,
  updateWebhook,
  type WebhookEndpoint,
} from '#db/store/webhooks'
import { requireTenant } from '#shared/domains/administration/people'
import { quotaOf } from '#shared/domains/tenancy/quotas'
import { secretContext, sendWebhookMessage } from '#shared/domains/webhooks/message'
import { newWebhookSecret } from '#shared/domains/webhooks/sign'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { lowestIdAt } from '#shared/kernel/random'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type {
  NewWebhook,
  TestOutcome,
  Webhook,
  WebhookChanges,
  WebhookReplay,
  WebhookSecretRotation,
  Webhooks,
  WebhookWithSecret,
} from './endpoints.schema.ts'
import type { Ctx } from './group.ts'

const toResponse = (row: WebhookEndpoint): z.input<typeof Webhook> => ({
  id: row.id,
  url: row.url,
  description: row.description,
  events: row.events,
  include_origin: row.includeOrigin,
  active: row.active,
  disabled_reason: row.disabledReason === 'gone' || row.disabledReason === 'failing' ? row.disabledReason : null,
  cursor: row.cursor ?? lowestIdAt(row.createdAt),
  last_status: row.lastStatus,
  last_failure: row.lastFailure,
  last_delivered_at: row.lastDeliveredAt?.toISOString() ?? null,
  failures: row.failures,
  failing_since: row.failingSince?.toISOString() ?? null,
  previous_secret_valid_until: row.previousValidUntil?.toISOString() ?? null,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

/** Audit values. Of the URL only the host, because the rest may contain a secret of the receiver. */
const notified = ({
  url,
  events,
  active,
  description,
  includeOrigin,
}: Pick<WebhookEndpoint, 'url' | 'events' | 'active' | 'description' | 'includeOrigin'>) => ({
  host: new URL(url).host,
  events,
  active,
  description,
  include_origin: includeOrigin,
})

/**
 * Validates the URL as written. The address that its name resolves to is checked at every connection instead: here the result would be outdated, and would
 * disclose internal names to the caller.
 */
const allowedUrl = (ctx: Pick<Ctx, 'outbound'>, typed: string): string => {
  const validated = checkOutboundUrl(typed, ctx.outbound)
  if (typeof validated === 'string') throw new AppError('webhook_url_refused', undefined, { field: 'body.url', extra: { reason: validated } })
  return validated.href
}

const locked = async (t: TenantTx, id: string): Promise<WebhookEndpoint> => {
  const row = await lockWebhook(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}
const changed = async (t: TenantTx, id: string, set: Parameters<typeof updateWebhook>[2]): Promise<WebhookEndpoint> => {
  const row = await updateWebhook(t, id, set)
  if (row === undefined) throw new AppError('not_found')
  return row
}
/** The ETag covers only members that a tenant can change, not the delivery state. */
const tagOf = ({ url, description, events, includeOrigin, active }: WebhookEndpoint): string =>
  etagOf([url, description, events, includeOrigin, active])
const tagged = (row: WebhookEndpoint): HttpResult<z.input<typeof Webhook>> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })

const target = (id: string) => ({ type: 'webhook', id })

/** @throws AppError webhook_url_refused, webhook_limit */
export const createWebhook = async (ctx: Ctx, caller: User, given: z.output<typeof NewWebhook>): Promise<z.input<typeof WebhookWithSecret>> => {
  const url = allowedUrl(ctx, given.url)
  const [id, at, secret] = [ctx.random.id(), ctx.clock.now(), newWebhookSecret(ctx.random)]
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!(await useQuota(t, 'webhooks', quotaOf((await requireTenant(t)).settings, 'webhooks')))) throw new AppError('webhook_limit')
    await insertWebhook(t, {
      id,
      url,
      description: given.description,
      events: [...new Set(given.events)],
      includeOrigin: given.include_origin,
      sealedSecret: await ctx.keyring.seal(t, t.tenantId, secret, secretContext(id)),
      cursor: lowestIdAt(at),
      createdBy: caller.userId,
      createdAt: at,
      updatedAt: at,
    })
    await queueWebhook(t, { tenantId: t.tenantId, endpointId: id }, at)
    const inserted = await locked(t, id)
    await recordEvent(t, ctx, { event: 'webhook.created', actor: byUser(caller), target: target(id), after: notified(inserted) })
    return inserted
  })
  return { ...toResponse(row), secret }
}

export const listWebhooks = async (ctx: Ctx, caller: User): Promise<z.input<typeof Webhooks>> => ({
  webhooks: (await findWebhooks(forTenant(ctx.db, caller.tenantId))).map(toResponse),
})

/** @throws AppError not_found */
export const readWebhook = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<z.input<typeof Webhook>>> => {
  const row = await findWebhook(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw new AppError('not_found')
  return tagged(row)
}

/** Enabling resumes where delivery stopped and resets the failure count. @throws AppError precondition_required, precondition_failed, not_found, webhook_url_refused */
export const changeWebhook = async (
  ctx: Ctx,
  caller: User,
  id: string,
  changes: z.output<typeof WebhookChanges>,
): Promise<HttpResult<z.input<typeof Webhook>>> => {
  const checkPrecondition = preconditionOf(ctx, 'required')
  const at = ctx.clock.now()
  const url = changes.url === undefined ? {} : { url: allowedUrl(ctx, changes.url) }
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await locked(t, id)
    checkPrecondition(tagOf(before))
    const fresh = changes.active === true ? { disabledReason: null, failures: 0, failingSince: null, lastFailure: null } : {}
    const after = await changed(t, id, {
      ...url,
      ...(changes.events === undefined ? {} : { events: [...new Set(changes.events)] }),
      ...(changes.description === undefined ? {} : { description: changes.description }),
      ...(changes.include_origin === undefined ? {} : { includeOrigin: changes.include_origin }),
      ...(changes.active === undefined ? {} : { active: changes.active }),
      ...fresh,
      updatedAt: at,
    })
    const entry = { tenantId: t.tenantId, endpointId: id }
    // A new URL or a restart does not wait for the previous retry delay.
    if (after.active) await queueWebhook(t, entry, at)
    else await deleteWebhookFromQueue(t, entry)
    await recordEvent(t, ctx, {
      event: 'webhook.updated',
      actor: byUser(caller),
      target: target(id),
      before: notified(before),
      after: notified(after),
    })
    return after
  })
  return tagged(row)
}

/** @throws AppError not_found */
export const removeWebhook = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await locked(t, id)
    await deleteWebhook(t, id)
    await deleteWebhookFromQueue(t, { tenantId: t.tenantId, endpointId: id })
    await releaseQuota(t, 'webhooks')
    await recordEvent(t, ctx, { event: 'webhook.deleted', actor: byUser(caller), target: target(id), before: notified(before) })
    return undefined
  })

/** Messages are signed with both secrets until the overlap ends; without an overlap the old one is revoked at once. @throws AppError not_found */
export const rotateWebhookSecret = async (
  ctx: Ctx,
  caller: User,
  id: string,
  { overlap_seconds }: z.output<typeof WebhookSecretRotation>,
): Promise<z.input<typeof WebhookWithSecret>> => {
  const [at, secret] = [ctx.clock.now(), newWebhookSecret(ctx.random)]
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await locked(t, id)
    const overlaps = overlap_seconds > 0
    const previousValidUntil = overlaps ? secondsAfter(at, overlap_seconds) : null
    const after = await changed(t, id, {
      sealedSecret: await ctx.keyring.seal(t, t.tenantId, secret, secretContext(id)),
      previousSealedSecret: overlaps ? before.sealedSecret : null,
      previousValidUntil,
      updatedAt: at,
    })
    const until = { previous_valid_until: previousValidUntil?.toISOString() ?? null }
    await recordEvent(t, ctx, { event: 'webhook.secret_rotated', actor: byUser(caller), target: target(id), after: until })
    return after
  })
  return { ...toResponse(row), secret }
}

/** Sends one message of the type `webhook.test` now and returns the result. Changes nothing. @throws AppError not_found */
export const testWebhook = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof TestOutcome>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const row = await findWebhook(t, id)
  if (row === undefined) throw new AppError('not_found')
  const body = JSON.stringify({ type: 'webhook.test', timestamp: ctx.clock.now().toISOString(), data: { webhook_id: id } })
  const sent = await sendWebhookMessage(ctx, t, row, { id: ctx.random.id(), body })
  const outcome = { delivered: sent.delivered, status: sent.status ?? null, failure: sent.delivered ? null : sent.failure }
  await atomically(t, (tx) => recordEvent(tx, ctx, { event: 'webhook.tested', actor: byUser(caller), target: target(id), after: outcome }))
  return outcome
}

/** Sends everything after the cursor again, in order, under the same ids. @throws AppError not_found, webhook_disabled */
export const replayWebhook = async (
  ctx: Ctx,
  caller: User,
  id: string,
  { after, from }: z.output<typeof WebhookReplay>,
): Promise<z.input<typeof Webhook>> => {
  const at = ctx.clock.now()
  const cursor = after?.toLowerCase() ?? lowestIdAt(new Date(from ?? at))
  const row = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await locked(t, id)
    if (!before.active) throw new AppError('webhook_disabled')
    const moved = await changed(t, id, { cursor, updatedAt: at })
    await queueWebhook(t, { tenantId: t.tenantId, endpointId: id }, at)
    await recordEvent(t, ctx, {
      event: 'webhook.replayed',
      actor: byUser(caller),
      target: target(id),
      before: { cursor: before.cursor },
      after: { cursor },
    })
    return moved
  })
  return toResponse(row)
}
