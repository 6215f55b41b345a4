// A client requests a decision from a person on their phone or browser (OpenID CIBA Core 1.0, poll mode). The response does not disclose whether the person exists.

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
  /** The client's own words; shown as a quotation. */
  readonly bindingMessage: string
  readonly scopes: readonly string[]
  /** Set for a request of the authorization server. */
  readonly oauth?: ResourceBinding
  /** The tenant's names for the requested authorization details. Amounts stay out of the message, because push providers can read it. */
  readonly titles?: readonly string[]
  /** How long the client wants to wait, at most REQUEST_SECONDS. */
  readonly expiresInSeconds?: number
}
export type StartedCiba = {
  readonly authReqId: string
  readonly expiresInSeconds: number
  readonly intervalSeconds: number
  /** Two digits that the client shows and the person enters, when the tenant requires number matching. */
  readonly matchNumber?: string
}

/** Three pending and five in ten minutes, counted only by address, so that known and unknown addresses behave alike. @throws AppError too_many_requests_pending */
const requireUnderLimit = async (t: TenantTx, ctx: RequestCtx, hintHash: Uint8Array): Promise<void> => {
  const now = ctx.clock.now()
  await lockHint(t, hintHash)
  const { waiting, recent } = await countCibaRequests(t, hintHash, secondsAfter(now, -RECENT_SECONDS), now)
  if (waiting < MOST_WAITING && recent < MOST_RECENT) return
  throw new AppError('too_many_requests_pending', undefined, {
    retryAfterSeconds: recent < MOST_RECENT ? REQUEST_SECONDS : RECENT_SECONDS,
    refusal: { tenantId: t.tenantId, event: 'ciba.requested' },
  })
}

/** The active person with that address, and their devices. */
const findRecipient = async (
  t: TenantTx,
  ctx: RequestCtx,
  email: string,
): Promise<{ readonly user: User | undefined; readonly devices: readonly PushDevice[] }> => {
  const found = await findUserByEmail(t, email)
  const user = found?.active === true && found.deletedAt === null ? found : undefined
  // Unknown people run the same statements, so that timing does not disclose them.
  return { user, devices: await findPushDevices(t, user?.id ?? ctx.random.id(), true) }
}

/** Discloses missing accounts only where the deployment or the tenant chose that. @throws AppError ciba_user_unknown, ciba_no_device */
const requireDisclosed = (ctx: RequestCtx, tenant: Tenant, user: User | undefined, devices: readonly PushDevice[]): void => {
  if (!(tenant.settings.cibaDisclosesAccounts ?? disclosesAccounts(ctx))) return
  if (user === undefined) throw new AppError('ciba_user_unknown')
  if (devices.length === 0) throw new AppError('ciba_no_device')
}

type SavedRequest = StartedCiba & {
  readonly id: string
  readonly user: User | undefined
  readonly devices: readonly PushDevice[]
  readonly bindingMessage: string
  readonly titles: readonly string[]
}

const saveRequest = async (t: TenantTx, ctx: RequestCtx, client: ClientEntry, tenant: Tenant, prompt: CibaPrompt): Promise<SavedRequest> => {
  const hintHash = ctx.hash('ciba-hint', t.tenantId, prompt.email)
  await requireUnderLimit(t, ctx, hintHash)
  const { user, devices } = await findRecipient(t, ctx, prompt.email)
  requireDisclosed(ctx, tenant, user, devices)
  const [id, authReqId, now] = [ctx.random.id(), newAuthReqId(ctx, t.tenantId), ctx.clock.now()]
  const matchNumber = tenant.settings.cibaNumberMatching === true ? randomDigits(ctx.random, 2) : undefined
  const bindingMessage = plainText(prompt.bindingMessage, MOST_MESSAGE) ?? ''
  const expiresInSeconds = Math.min(prompt.expiresInSeconds ?? REQUEST_SECONDS, REQUEST_SECONDS)
  await insertCibaRequest(t, {
    id,
    handleHash: authReqIdHash(ctx, authReqId),
    hintHash,
    clientId: client.clientId,
    scopes: [...prompt.scopes],
    ...(prompt.oauth === undefined ? {} : { ...prompt.oauth, forOauth: true }),
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
    // Always under the tenant's key: a key made for a person's first event would disclose that they exist.
    subjectId: t.tenantId,
    after: { scopes: prompt.scopes, devices: devices.length, ...auditedDetails(prompt.oauth?.details) },
  })
  const number = matchNumber === undefined ? {} : { matchNumber }
  return { id, authReqId, expiresInSeconds, intervalSeconds: INTERVAL_SECONDS, ...number, user, devices, bindingMessage, titles: prompt.titles ?? [] }
}

type MessageTexts = { readonly unknown: string; readonly prompt: (client: string, what: string | undefined, says: string) => string }
const WORDS: Readonly<Record<MailLanguage, MessageTexts>> = {
  en: {
    unknown: 'An application',
    prompt: (client, what, says) => `${client} asks you to approve ${what ?? 'a sign-in'}${says === '' ? '.' : `: \u201c${says}\u201d`}`,
  },
  de: {
    unknown: 'Ein Programm',
    prompt: (client, what, says) =>
      `${client} bittet Sie, ${what === undefined ? 'eine Anmeldung zu bestätigen' : `zu bestätigen: ${what}`}${says === '' ? '.' : `: \u201e${says}\u201c`}`,
  },
}

/** The client by the tenant's name for it, with the client's message as a quotation. The `auth_req_id` is never sent to a phone. */
const messageOf = (
  ctx: Pick<RequestCtx, 'config'>,
  client: Client | undefined,
  clientId: string,
  tenant: Tenant,
  saved: SavedRequest,
): PushMessage => {
  const known = plainText(client?.name ?? '', MOST_NAME)
  const language = decidedLanguage(tenant, saved.user?.language)
  const words = WORDS[language]
  const what = plainText([...new Set(saved.titles)].join(', '), MOST_TITLES)
  return {
    title: plainText(tenant.name, MOST_NAME) ?? 'Sign-in',
    body: words.prompt(known ?? words.unknown, what, saved.bindingMessage),
    data: {
      type: 'ciba',
      auth_req_id: saved.id,
      number_required: String(saved.matchNumber !== undefined),
      approve_url: `${ctx.config.BASE_URL}${APPROVE_PATH}?id=${saved.id}&client_id=${clientId}`,
      client_id: clientId,
      // Lets the receiving browser choose the language when the person chose none.
      language: saved.user?.language ?? '',
      client_name: known ?? '',
      binding_message: saved.bindingMessage,
    },
    ttlSeconds: saved.expiresInSeconds,
  }
}

type Delivery = { readonly id: string; readonly result: 'sent' | 'gone' | 'failed' }

const sendTo = async (ctx: CibaCtx, device: PushDevice, message: PushMessage): Promise<Delivery> => {
  const t = forTenant(ctx.db, device.tenantId as ClientEntry['tenantId'])
  const token = device.sealedToken === null ? undefined : await ctx.keyring.open(t, device.userId, device.sealedToken, sealedTokenIn(device.id))
  const outcome = token === undefined ? ({ result: 'gone' } as const) : await ctx.push.send({ platform: device.platform, token }, message)
  const provider = device.platform === 'web' ? 'web_push' : 'fcm'
  ctx.metrics.count('push_sent_total', { provider, result: outcome.result })
  if (outcome.result === 'failed') ctx.log.warn('push_failed', { provider, reason: outcome.reason, retry_after: outcome.retryAfterSeconds ?? 0 })
  return { id: device.id, result: outcome.result }
}

/** Sends to all devices at once after the request committed, each within the provider's timeout. Removes tokens that the provider calls gone. */
const notifyDevices = async (ctx: CibaCtx, client: ClientEntry, tenant: Tenant, saved: SavedRequest): Promise<void> => {
  const t = forTenant(ctx.db, client.tenantId)
  const message = messageOf(ctx, await findClient(t, client.clientId), client.clientId, tenant, saved)
  const deliveries = await Promise.all(saved.devices.map((device) => sendTo(ctx, device, message)))
  const idsWith = (result: Delivery['result']): string[] => deliveries.filter((one) => one.result === result).map(({ id }) => id)
  const reached = idsWith('sent')
  await atomically(t, async (tx) => {
    await endPushDevices(tx, idsWith('gone'))
    await touchPushDevices(tx, reached, ctx.clock.now())
    if (reached.length > 0 || !(await failCibaRequest(tx, saved.id))) return
    await recordEvent(tx, ctx, {
      event: 'ciba.failed',
      actor: bySystem,
      target: { type: 'ciba_request', id: saved.id },
      ...(saved.user ? { subjectId: saved.user.id } : {}),
    })
  })
}

/**
 * Starts a request to a person of the client's tenant. The response does not disclose whether they exist or have a device; a request without a device expires.
 * Routes that call this emit `ciba.requested`, `ciba.failed`.
 * @throws AppError client_unauthenticated, too_many_requests_pending; where accounts are disclosed: ciba_user_unknown, ciba_no_device
 */
export const startCibaRequest = async (ctx: CibaCtx, client: ClientEntry, prompt: CibaPrompt): Promise<StartedCiba> => {
  const t = forTenant(ctx.db, client.tenantId)
  const tenant = await findTenant(t)
  if (tenant?.status !== 'active') throw new AppError('client_unauthenticated')
  const saved = await atomically(t, (tx) => saveRequest(tx, ctx, client, tenant, prompt))
  if (saved.devices.length > 0) await notifyDevices(ctx, client, tenant, saved)
  return saved
}
