// Delivers the tenant's audit log in order to each endpoint, at least once. Each endpoint is a queue: an event that its receiver refuses holds up the later ones of
// that endpoint only.
import { setTimeout as sleep } from 'node:timers/promises'
import { isDatabaseUnavailable } from '#db/engine/client'
import { atomically, directory, forTenant, type TenantDb } from '#db/engine/tenant'
import type { AuditRow } from '#db/store/audit-events'
import { findEventsInOrder } from '#db/store/audit-stream'
import {
  advanceWebhook,
  deleteWebhookFromQueue,
  findWebhook,
  type LeasedWebhook,
  leaseDueWebhooks,
  postponeWebhook,
  releaseWebhook,
  type WebhookEndpoint,
} from '#db/store/webhooks'
import { presentEvent } from '#shared/domains/audit/presentation'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AUDIT_SETTLING_SECONDS, auditWatermark } from '#shared/platform/audit/watermark'
import { disableWebhook } from './disable.ts'
import { type DeliveryOutcome, type MessageContext, messageBody, sendWebhookMessage } from './message.ts'

export type DeliveryContext = MessageContext & Pick<BaseCtx, 'db' | 'random' | 'hash' | 'log' | 'config' | 'wakeOutbox'>

/** Concurrent endpoints. One that does not answer takes a place for at most ten seconds and is then postponed. */
const AT_ONCE = 10
/** How often to check for further due endpoints while sending. */
const LOOK_AGAIN_MS = 1000
const PAGE = 25
const LEASE_SECONDS = 60
/** Longer than one message may take. With less of the lease left, another sender may take the endpoint. */
const MARGIN_SECONDS = 15
/** Of one call; a function may run 29 seconds. */
const DELIVERING_MS = 12_000
/** How soon an idle endpoint is checked again, in case a wake-up was lost. */
const IDLE_SECONDS = 15 * 60

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const FIRST_DELAY_SECONDS = 5
const MAX_DELAY_SECONDS = 6 * 3600
const GIVEN_UP_AFTER_SECONDS = 3 * 24 * 3600

/** Seconds until the next try: doubling from five seconds to six hours, at a random point (`jitter`, 0 to 1) in the upper half of the step. */
export const webhookDelaySeconds = (failures: number, jitter: number): number =>
  Math.round(Math.min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), MAX_DELAY_SECONDS / 2) * (1 + jitter))

/**
 * `idle`: nothing to deliver; `waiting`: the events are too recent; `more`: time ran out; `gone`: the endpoint is gone, or another sender decides. After a failure
 * the next try is already planned.
 */
type Outcome = 'idle' | 'waiting' | 'more' | 'gone' | 'postponed' | 'disabled'
/** When the endpoint is checked next. */
const NEXT_SECONDS: Readonly<Record<Outcome, number | undefined>> = {
  idle: IDLE_SECONDS,
  waiting: AUDIT_SETTLING_SECONDS,
  more: 0,
  gone: 0,
  postponed: undefined,
  disabled: undefined,
}
export type DeliveryReport = { readonly [K in Outcome]: number } & { readonly delivered: number }
type Round = { readonly before: string | undefined; readonly isOver: () => boolean; readonly delivered: () => void }

const isGivenUp = (endpoint: WebhookEndpoint, sent: DeliveryOutcome & { readonly delivered: false }, now: Date): 'gone' | 'failing' | undefined => {
  // In Standard Webhooks 410 means that the receiver wants no more messages.
  if (sent.status === 410) return 'gone'
  const since = endpoint.failingSince
  return since !== null && now >= secondsAfter(since, GIVEN_UP_AFTER_SECONDS) ? 'failing' : undefined
}

const handleFailure = async (
  ctx: DeliveryContext,
  t: TenantDb,
  leased: LeasedWebhook,
  endpoint: WebhookEndpoint,
  sent: DeliveryOutcome & { readonly delivered: false },
): Promise<Outcome> => {
  const now = ctx.clock.now()
  const failures = endpoint.failures + 1
  const set = { failures, failingSince: endpoint.failingSince ?? now, lastStatus: sent.status ?? null, lastFailure: sent.failure }
  ctx.log.warn('webhook.failed', { tenant_id: t.tenantId, webhook_id: endpoint.id, failures, failure: sent.failure })
  const reason = isGivenUp(endpoint, sent, now)
  if (reason !== undefined) {
    const disabled = await atomically(t, async (tx) => (await advanceWebhook(tx, endpoint, set)) && disableWebhook(tx, ctx, endpoint, reason))
    if (disabled) ctx.wakeOutbox()
    return disabled ? 'disabled' : 'gone'
  }
  const delay = Math.max(webhookDelaySeconds(failures, (ctx.random.bytes(1)[0] ?? 0) / 255), sent.retryAfterSeconds ?? 0)
  const isPostponed = await atomically(
    t,
    async (tx) => (await advanceWebhook(tx, endpoint, set)) && postponeWebhook(tx, leased, secondsAfter(now, delay), failures),
  )
  return isPostponed ? 'postponed' : 'gone'
}

const isOutOfTime = (ctx: DeliveryContext, leased: LeasedWebhook, round: Round): boolean =>
  round.isOver() || secondsAfter(ctx.clock.now(), MARGIN_SECONDS) > leased.until

/** Delivers one event. Returns the advanced endpoint, or the outcome of a failure. */
const deliverOne = async (ctx: DeliveryContext, t: TenantDb, leased: LeasedWebhook, endpoint: WebhookEndpoint, row: AuditRow) => {
  const body = messageBody(await presentEvent(ctx, t, row), endpoint.includeOrigin)
  const sent = await sendWebhookMessage(ctx, t, endpoint, { id: row.id, body })
  if (!sent.delivered) return handleFailure(ctx, t, leased, endpoint, sent)
  const set = { cursor: row.id, failures: 0, failingSince: null, lastFailure: null, lastStatus: sent.status, lastDeliveredAt: ctx.clock.now() }
  const isAdvanced = await atomically(t, (tx) => advanceWebhook(tx, endpoint, set))
  return isAdvanced ? { ...endpoint, ...set } : ('gone' as const)
}

const serveEndpoint = async (ctx: DeliveryContext, t: TenantDb, leased: LeasedWebhook, round: Round): Promise<Outcome> => {
  let endpoint = await findWebhook(t, leased.endpointId)
  if (endpoint === undefined || !endpoint.active) {
    await deleteWebhookFromQueue(t, leased)
    return 'gone'
  }
  if (round.before === undefined) return 'waiting'
  const events = endpoint.events.includes('*') ? {} : { events: endpoint.events }
  const after = endpoint.cursor
  if (after === null) throw new Error('the endpoint has no cursor')
  for (let from = after; ; ) {
    const page = await findEventsInOrder(t, { after: from, before: round.before, limit: PAGE, ...events })
    for (const row of page) {
      if (isOutOfTime(ctx, leased, round)) return 'more'
      const next = await deliverOne(ctx, t, leased, endpoint, row)
      if (typeof next === 'string') return next
      endpoint = next
      from = row.id
      round.delivered()
    }
    if (page.length === PAGE) continue
    // Events committed before the lease that are too recent for now have expedited the endpoint already; later commits expedite it again.
    const recent = await findEventsInOrder(t, { after: from, before: LAST_ID, limit: 1, ...events })
    return recent.length === 0 ? 'idle' : 'waiting'
  }
}

const release = async (ctx: DeliveryContext, leased: LeasedWebhook, outcome: Outcome): Promise<void> => {
  const seconds = NEXT_SECONDS[outcome]
  if (seconds !== undefined) await releaseWebhook(directory(ctx.db), leased, secondsAfter(ctx.clock.now(), seconds))
}

const attempt = async (ctx: DeliveryContext, leased: LeasedWebhook, round: Round): Promise<Outcome> => {
  try {
    const outcome = await serveEndpoint(ctx, forTenant(ctx.db, leased.tenantId), leased, round)
    await release(ctx, leased, outcome)
    return outcome
  } catch (error) {
    // Without a stored result the lease expires, and the event is sent again under the same id.
    ctx.log.error('webhook.unsettled', error, { tenant_id: leased.tenantId, webhook_id: leased.endpointId })
    if (isDatabaseUnavailable(error)) throw error
    return 'gone'
  }
}

/** Waits for the first to finish, at most `LOOK_AGAIN_MS`. */
const waitForFirst = async (running: ReadonlySet<Promise<void>>): Promise<void> => {
  const pause = new AbortController()
  try {
    await Promise.race([...running, sleep(LOOK_AGAIN_MS, undefined, { signal: pause.signal }).catch(() => undefined)])
  } finally {
    pause.abort()
  }
}

/**
 * Serves every due endpoint, for at most twelve seconds plus the messages under way. Two senders never serve one endpoint at a time, and an endpoint that does not
 * answer delays no other while places are free. `meanwhile` runs before each check for due endpoints.
 * @throws DatabaseAway
 */
export const deliverDueWebhooks = async (ctx: DeliveryContext, meanwhile?: () => Promise<unknown>): Promise<DeliveryReport> => {
  const started = ctx.clock.elapsed()
  const isOver = (): boolean => ctx.clock.elapsed() - started > DELIVERING_MS
  const count = { idle: 0, waiting: 0, more: 0, gone: 0, postponed: 0, disabled: 0, delivered: 0 }
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  // The watermark is good for a moment, so endpoints share it.
  let bound: { readonly since: number; readonly before: string | undefined } | undefined
  const start = (leased: LeasedWebhook, before: string | undefined): void => {
    const round: Round = { before, isOver, delivered: () => void count.delivered++ }
    const attempted = attempt(ctx, leased, round)
      .then(
        (outcome) => void count[outcome]++,
        (error: unknown) => void failures.push(error),
      )
      .finally(() => running.delete(attempted))
    running.add(attempted)
  }
  for (;;) {
    await meanwhile?.()
    const [now, places] = [ctx.clock.now(), isOver() ? 0 : AT_ONCE - running.size]
    const leased = places === 0 ? [] : await leaseDueWebhooks(directory(ctx.db), now, secondsAfter(now, LEASE_SECONDS), places)
    if (leased.length > 0 && (bound === undefined || ctx.clock.elapsed() - bound.since > LOOK_AGAIN_MS)) {
      bound = { since: ctx.clock.elapsed(), before: await auditWatermark(ctx) }
    }
    for (const one of leased) start(one, bound?.before)
    if (running.size === 0) return count
    await waitForFirst(running)
    if (failures.length > 0) throw failures[0]
  }
}

/** The earliest time at which an event of now is delivered. */
export const dueAfterCommit = (ctx: Pick<BaseCtx, 'clock'>): Date => secondsAfter(ctx.clock.now(), AUDIT_SETTLING_SECONDS)
