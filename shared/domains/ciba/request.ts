// A client asks a person, through the person's phone or browser (OpenID CIBA Core 1.0, poll mode). What it is told does not say whether there is such a person.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { countCibaRequests, failCibaRequest, insertCibaRequest, lockHint } from '#db/store/ciba'
import { type Client, type ClientEntry, findClient } from '#db/store/clients'
import { endPushDevices, findPushDevices, type PushDevice, touchPushDevices } from '#db/store/push-devices'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUserByEmail, type User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import type { ResourceBinding } from '#shared/domains/device-authorization/poll'
import { auditedDetails } from '#shared/domains/oauth/details'
import { disclosesAccounts } from '#shared/domains/tenancy/compatibility'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomDigits } from '#shared/kernel/random'
import { byClient, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { decidedLanguage, type MailLanguage } from '#shared/platform/outbox/mail/language'
import type { Push, PushMessage } from '#shared/platform/outbox/push/push'
import { authReqIdHash, newAuthReqId } from './auth-req-id.ts'
import { sealedTokenIn } from './devices.ts'
import { APPROVE_PATH, numberHash } from './number-match.ts'

export type CibaCtx = RequestCtx & { readonly push: Push }

export const REQUEST_SECONDS = 300
const INTERVAL_SECONDS = 5
const MOST_WAITING = 3
const MOST_RECENT = 5
const RECENT_SECONDS = 600
const MOST_MESSAGE = 255
const MOST_NAME = 60
const MOST_TITLES = 120

export type CibaPrompt = {
  readonly email: string
  /** In the client's words; shown as a quotation. */
  readonly bindingMessage: string
  readonly scopes: readonly string[]
  /** Begun at the authorization server. */
  readonly oauth?: ResourceBinding
  /** What the tenant calls what is asked for in detail. How much of it is not for a message: providers read that. */
  readonly titles?: readonly string[]
  /** How long the client wants to wait, at most REQUEST_SECONDS. */
  readonly expiresInSeconds?: number
}
export type StartedCiba = {
  readonly authReqId: string
  readonly expiresInSeconds: number
  readonly intervalSeconds: number
  /** Two digits that the client shows and the person enters, where the tenant wants that. */
  readonly matchNumber?: string
}

/** Three at once and five in ten minutes, counted by the address alone: alike for everybody and for nobody. @throws AppError too_many_requests_pending */
const requireRest = async (t: TenantTx, ctx: RequestCtx, hintHash: Uint8Array): Promise<void> => {
  const now = ctx.clock.now()
  await lockHint(t, hintHash)
  const { waiting, recent } = await countCibaRequests(t, hintHash, secondsAfter(now, -RECENT_SECONDS), now)
  if (waiting < MOST_WAITING && recent < MOST_RECENT) return
  throw new AppError('too_many_requests_pending', undefined, {
    retryAfterSeconds: recent < MOST_RECENT ? REQUEST_SECONDS : RECENT_SECONDS,
    refusal: { tenantId: t.tenantId, event: 'ciba.requested' },
  })
}

/** Who would be asked, and on what. */
const findAskable = async (
  t: TenantTx,
  ctx: RequestCtx,
  email: string,
): Promise<{ readonly user: User | undefined; readonly devices: readonly PushDevice[] }> => {
  const found = await findUserByEmail(t, email)
  const user = found?.active === true && found.deletedAt === null ? found : undefined
  // Asked for nobody too, so that the statements are the same.
  return { user, devices: await findPushDevices(t, user?.id ?? ctx.random.id(), true) }
}

/** Only a deployment or a tenant that chose so tells. @throws AppError ciba_user_unknown, ciba_no_device */
const disclose = (ctx: RequestCtx, tenant: Tenant, user: User | undefined, devices: readonly PushDevice[]): void => {
  if (!(tenant.settings.cibaDisclosesAccounts ?? disclosesAccounts(ctx))) return
  if (user === undefined) throw new AppError('ciba_user_unknown')
  if (devices.length === 0) throw new AppError('ciba_no_device')
}

type Kept = StartedCiba & {
  readonly id: string
  readonly user: User | undefined
  readonly devices: readonly PushDevice[]
  readonly bindingMessage: string
  readonly titles: readonly string[]
}

const keep = async (t: TenantTx, ctx: RequestCtx, client: ClientEntry, tenant: Tenant, ask: CibaPrompt): Promise<Kept> => {
  const hintHash = ctx.hash('ciba-hint', t.tenantId, ask.email)
  await requireRest(t, ctx, hintHash)
  const { user, devices } = await findAskable(t, ctx, ask.email)
  disclose(ctx, tenant, user, devices)
  const [id, authReqId, now] = [ctx.random.id(), newAuthReqId(ctx, t.tenantId), ctx.clock.now()]
  const matchNumber = tenant.settings.cibaNumberMatching === true ? randomDigits(ctx.random, 2) : undefined
  const bindingMessage = plainText(ask.bindingMessage, MOST_MESSAGE) ?? ''
  const expiresInSeconds = Math.min(ask.expiresInSeconds ?? REQUEST_SECONDS, REQUEST_SECONDS)
  await insertCibaRequest(t, {
    id,
    handleHash: authReqIdHash(ctx, authReqId),
    hintHash,
    clientId: client.clientId,
    scopes: [...ask.scopes],
    ...(ask.oauth === undefined ? {} : { ...ask.oauth, forOauth: true }),
    status: devices.length === 0 ? 'failed' : 'pending',
    intervalSeconds: INTERVAL_SECONDS,
    requestedFor: user?.id ?? null,
    bindingMessage,
    numberHash: matchNumber === undefined ? null : numberHash(ctx, id, matchNumber),
    deviceIds: devices.map((device) => device.id),
    createdAt: now,
    expiresAt: secondsAfter(now, expiresInSeconds),
  })
  await recordEvent(t, ctx, {
    event: 'ciba.requested',
    actor: byClient(client.clientId, user?.id),
    target: { type: 'ciba_request', id },
    // Under the tenant's key for everybody: a person's first event makes a key, and that would tell.
    subjectId: t.tenantId,
    after: { scopes: ask.scopes, devices: devices.length, ...auditedDetails(ask.oauth?.details) },
  })
  const number = matchNumber === undefined ? {} : { matchNumber }
  return { id, authReqId, expiresInSeconds, intervalSeconds: INTERVAL_SECONDS, ...number, user, devices, bindingMessage, titles: ask.titles ?? [] }
}

type Words = { readonly unknown: string; readonly asks: (client: string, what: string | undefined, says: string) => string }
const WORDS: Readonly<Record<MailLanguage, Words>> = {
  en: {
    unknown: 'An application',
    asks: (client, what, says) => `${client} asks you to approve ${what ?? 'a sign-in'}${says === '' ? '.' : `: \u201c${says}\u201d`}`,
  },
  de: {
    unknown: 'Ein Programm',
    asks: (client, what, says) =>
      `${client} bittet Sie, ${what === undefined ? 'eine Anmeldung zu bestätigen' : `zu bestätigen: ${what}`}${says === '' ? '.' : `: \u201e${says}\u201c`}`,
  },
}

/** Who asks, by the name that the tenant gave the client; what the client says is a quotation. The handle that polls never leaves for a phone. */
const messageOf = (ctx: Pick<RequestCtx, 'config'>, client: Client | undefined, tenant: Tenant, kept: Kept): PushMessage => {
  const known = plainText(client?.name ?? '', MOST_NAME)
  const language = decidedLanguage(tenant, kept.user?.language)
  const words = WORDS[language]
  const what = plainText([...new Set(kept.titles)].join(', '), MOST_TITLES)
  return {
    title: plainText(tenant.name, MOST_NAME) ?? 'Sign-in',
    body: words.asks(known ?? words.unknown, what, kept.bindingMessage),
    data: {
      type: 'ciba',
      auth_req_id: kept.id,
      number_required: String(kept.matchNumber !== undefined),
      approve_url: `${ctx.config.BASE_URL}${APPROVE_PATH}?id=${kept.id}`,
      // For who says it in the browser's language, where the person chose none.
      language: kept.user?.language ?? '',
      client_name: known ?? '',
      binding_message: kept.bindingMessage,
    },
    ttlSeconds: kept.expiresInSeconds,
  }
}

type Sent = { readonly id: string; readonly result: 'sent' | 'gone' | 'failed' }

const sendTo = async (ctx: CibaCtx, device: PushDevice, message: PushMessage): Promise<Sent> => {
  const t = forTenant(ctx.db, device.tenantId as ClientEntry['tenantId'])
  const token = device.sealedToken === null ? undefined : await ctx.keyring.open(t, device.userId, device.sealedToken, sealedTokenIn(device.id))
  const outcome = token === undefined ? ({ result: 'gone' } as const) : await ctx.push.send({ platform: device.platform, token }, message)
  const provider = device.platform === 'web' ? 'web_push' : 'fcm'
  ctx.metrics.count('push_sent_total', { provider, result: outcome.result })
  if (outcome.result === 'failed') ctx.log.warn('push_failed', { provider, reason: outcome.reason, retry_after: outcome.retryAfterSeconds ?? 0 })
  return { id: device.id, result: outcome.result }
}

/** Asks all devices at once, after the request was committed; no message may take longer than its provider is waited for. Dead tokens are forgotten. */
const askDevices = async (ctx: CibaCtx, client: ClientEntry, tenant: Tenant, kept: Kept): Promise<void> => {
  const t = forTenant(ctx.db, client.tenantId)
  const message = messageOf(ctx, await findClient(t, client.clientId), tenant, kept)
  const sent = await Promise.all(kept.devices.map((device) => sendTo(ctx, device, message)))
  const which = (result: Sent['result']): string[] => sent.filter((one) => one.result === result).map(({ id }) => id)
  const reached = which('sent')
  await atomically(t, async (tx) => {
    await endPushDevices(tx, which('gone'))
    await touchPushDevices(tx, reached, ctx.clock.now())
    if (reached.length > 0 || !(await failCibaRequest(tx, kept.id))) return
    await recordEvent(tx, ctx, {
      event: 'ciba.failed',
      actor: bySystem,
      target: { type: 'ciba_request', id: kept.id },
      ...(kept.user ? { subjectId: kept.user.id } : {}),
    })
  })
}

/**
 * Asks a person of the client's tenant. Whether there is one, and whether anything could reach them, is not to be told from the answer: a request that reached
 * nobody expires.
 * Routes that call this emit `ciba.requested`, `ciba.failed`.
 * @throws AppError client_unauthenticated, too_many_requests_pending; where the tenant discloses: ciba_user_unknown, ciba_no_device
 */
export const startCibaRequest = async (ctx: CibaCtx, client: ClientEntry, ask: CibaPrompt): Promise<StartedCiba> => {
  const t = forTenant(ctx.db, client.tenantId)
  const tenant = await findTenant(t)
  if (tenant?.status !== 'active') throw new AppError('client_unauthenticated')
  const kept = await atomically(t, (tx) => keep(tx, ctx, client, tenant, ask))
  if (kept.devices.length > 0) await askDevices(ctx, client, tenant, kept)
  return kept
}
