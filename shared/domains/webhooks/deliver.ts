// Delivers what is owed: the tenant's record, in its order, to each endpoint at least once. One endpoint is one queue: an event that its receiver does not take
// holds up the later ones of that endpoint, and nothing else.
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

export type DeliveryContext = MessageContext & Pick<BaseCtx, 'db' | 'random' | 'log' | 'config' | 'wakeOutbox'>

/** Endpoints at a time: one that does not answer takes one place for at most ten seconds, and is then put off. */
const AT_ONCE = 10
/** While something is being sent: how often is looked whether another endpoint is due. */
const LOOK_AGAIN_MS = 1000
const PAGE = 25
const LEASE_SECONDS = 60
/** Longer than one message may take. With less left of the lease another sender may take the endpoint. */
const MARGIN_SECONDS = 15
/** Of one call; a function lives 29 seconds. */
const DELIVERING_MS = 12_000
/** How long an endpoint that is owed nothing is left alone unless something happens: the net under waking. */
const IDLE_SECONDS = 15 * 60

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const FIRST_DELAY_SECONDS = 5
const LONGEST_DELAY_SECONDS = 6 * 3600
const GIVEN_UP_AFTER_SECONDS = 3 * 24 * 3600

/** Seconds until the next try: doubling from five seconds to six hours, anywhere (`jitter`, 0 to 1) in the upper half of the step. */
export const webhookDelaySeconds = (failures: number, jitter: number): number =>
  Math.round(Math.min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), LONGEST_DELAY_SECONDS / 2) * (1 + jitter))

/**
 * `idle`: nothing is owed; `waiting`: what is owed is too young; `more`: time was up; `gone`: there is nothing to serve any more, or another decides. Failures
 * have planned their next try themselves.
 */
type Outcome = 'idle' | 'waiting' | 'more' | 'gone' | 'postponed' | 'disabled'
/** When the endpoint is looked at next. */
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
  // Gone, in the words of the convention: the receiver wants no more.
  if (sent.status === 410) return 'gone'
  const since = endpoint.failingSince
  return since !== null && now >= secondsAfter(since, GIVEN_UP_AFTER_SECONDS) ? 'failing' : undefined
}

const failed = async (
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
  const mine = await atomically(
    t,
    async (tx) => (await advanceWebhook(tx, endpoint, set)) && postponeWebhook(tx, leased, secondsAfter(now, delay), failures),
  )
  return mine ? 'postponed' : 'gone'
}

const isPressed = (ctx: DeliveryContext, leased: LeasedWebhook, round: Round): boolean =>
  round.isOver() || secondsAfter(ctx.clock.now(), MARGIN_SECONDS) > leased.until

/** One event to one endpoint. Answers the endpoint as it is then, or how it went. */
const deliverOne = async (ctx: DeliveryContext, t: TenantDb, leased: LeasedWebhook, endpoint: WebhookEndpoint, row: AuditRow) => {
  const body = messageBody(await presentEvent(ctx, t, row), endpoint.includeOrigin)
  const sent = await sendWebhookMessage(ctx, t, endpoint, { id: row.id, body })
  if (!sent.delivered) return failed(ctx, t, leased, endpoint, sent)
  const set = { cursor: row.id, failures: 0, failingSince: null, lastFailure: null, lastStatus: sent.status, lastDeliveredAt: ctx.clock.now() }
  const isAdvanced = await atomically(t, (tx) => advanceWebhook(tx, endpoint, set))
  return isAdvanced ? { ...endpoint, ...set } : ('gone' as const)
}

const serve = async (ctx: DeliveryContext, t: TenantDb, leased: LeasedWebhook, round: Round): Promise<Outcome> => {
  let endpoint = await findWebhook(t, leased.endpointId)
  if (endpoint === undefined || !endpoint.active) {
    await deleteWebhookFromQueue(t, leased)
    return 'gone'
  }
  if (round.before === undefined) return 'waiting'
  const events = endpoint.events.includes('*') ? {} : { events: endpoint.events }
  const after = endpoint.cursor
  if (after === null) throw new Error('an endpoint begins somewhere')
  for (let from = after; ; ) {
    const page = await findEventsInOrder(t, { after: from, before: round.before, limit: PAGE, ...events })
    for (const row of page) {
      if (isPressed(ctx, leased, round)) return 'more'
      const next = await deliverOne(ctx, t, leased, endpoint, row)
      if (typeof next === 'string') return next
      endpoint = next
      from = row.id
      round.delivered()
    }
    if (page.length === PAGE) continue
    // What was committed before the lease and is too young to deliver hastened the endpoint in vain; what commits from now on hastens it again.
    const younger = await findEventsInOrder(t, { after: from, before: LAST_ID, limit: 1, ...events })
    return younger.length === 0 ? 'idle' : 'waiting'
  }
}

const settle = async (ctx: DeliveryContext, leased: LeasedWebhook, outcome: Outcome): Promise<void> => {
  const seconds = NEXT_SECONDS[outcome]
  if (seconds !== undefined) await releaseWebhook(directory(ctx.db), leased, secondsAfter(ctx.clock.now(), seconds))
}

const attempt = async (ctx: DeliveryContext, leased: LeasedWebhook, round: Round): Promise<Outcome> => {
  try {
    const outcome = await serve(ctx, forTenant(ctx.db, leased.tenantId), leased, round)
    await settle(ctx, leased, outcome)
    return outcome
  } catch (error) {
    // Whatever could not be written down: the lease runs out, and the same event goes again under the same id.
    ctx.log.error('webhook.unsettled', error, { tenant_id: leased.tenantId, webhook_id: leased.endpointId })
    if (isDatabaseUnavailable(error)) throw error
    return 'gone'
  }
}

/** Whatever ends first, or a moment later. */
const firstOf = async (running: ReadonlySet<Promise<void>>): Promise<void> => {
  const pause = new AbortController()
  try {
    await Promise.race([...running, sleep(LOOK_AGAIN_MS, undefined, { signal: pause.signal }).catch(() => undefined)])
  } finally {
    pause.abort()
  }
}

/**
 * Serves every endpoint that is due, for at most twelve seconds and the messages in hand. Two senders never serve one endpoint at a time, and one endpoint that
 * does not answer keeps no other waiting while there is a place. `meanwhile` is done before each look at what is due.
 * @throws DatabaseAway
 */
export const deliverDueWebhooks = async (ctx: DeliveryContext, meanwhile?: () => Promise<unknown>): Promise<DeliveryReport> => {
  const started = ctx.clock.elapsed()
  const isOver = (): boolean => ctx.clock.elapsed() - started > DELIVERING_MS
  const count = { idle: 0, waiting: 0, more: 0, gone: 0, postponed: 0, disabled: 0, delivered: 0 }
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  // What could not be added to a moment ago cannot be added to now, so it need not be asked for each.
  let bound: { readonly since: number; readonly before: string | undefined } | undefined
  const begin = (leased: LeasedWebhook, before: string | undefined): void => {
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
    for (const one of leased) begin(one, bound?.before)
    if (running.size === 0) return count
    await firstOf(running)
    if (failures.length > 0) throw failures[0]
  }
}

/** When an event of now is delivered at the earliest. */
export const dueAfterCommit = (ctx: Pick<BaseCtx, 'clock'>): Date => secondsAfter(ctx.clock.now(), AUDIT_SETTLING_SECONDS)
