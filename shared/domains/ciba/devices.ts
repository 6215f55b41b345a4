// Phones and browsers that may answer for a person: registering one is enrolling something that signs in.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import {
  countPushDevices,
  endPushDevices,
  findPushDeviceByToken,
  findPushDeviceOfSession,
  findPushDevices,
  type PushDevice,
  type PushPlatform,
  putPushDevice,
  removePushDevice,
} from '#db/store/push-devices'
import { findUser, lockUser } from '#db/store/users'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import { notify } from '#shared/domains/notifications/notify'
import { requireRecentSignIn } from '#shared/domains/sign-in/recent-sign-in'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { bySystem, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { parseSubscription } from '#shared/platform/outbox/push/web-push'
import type { User } from '#shared/platform/principals/principal'

const MOST_DEVICES = 10
const MOST_TEXT = 100
/** What providers hand out; a browser's is its whole subscription. */
const MOST_TOKEN = 500
/** How old a sign-in may be that adds something to sign in with. */
const RECENT_SECONDS = 15 * 60

export const PUSH_PLATFORMS = ['ios', 'android', 'web'] as const satisfies readonly PushPlatform[]

export const sealedTokenIn = (id: string): string => `push_devices:${id}`

export type PushDeviceRequest = {
  readonly token: string
  readonly platform: string
  readonly name?: string | undefined
  readonly model?: string | undefined
  readonly appVersion?: string | undefined
  readonly osVersion?: string | undefined
}

/** @throws AppError invalid_request */
const requirePlatform = ({ platform, token }: PushDeviceRequest): PushPlatform => {
  const known = PUSH_PLATFORMS.find((name) => name === platform)
  if (known === undefined)
    throw new AppError('invalid_request', `body.platform: must be one of ${PUSH_PLATFORMS.join(', ')}`, { field: 'body.platform' })
  const isFit = known === 'web' ? parseSubscription(token) !== undefined : token.length <= MOST_TOKEN
  if (!isFit) throw new AppError('invalid_request', 'body.device_token: is no token of that platform', { field: 'body.device_token' })
  return known
}

/** Whose messages came to that phone or browser until now is told that they do not any more. */
const takeFrom = async (t: TenantTx, ctx: RequestCtx, device: PushDevice): Promise<void> => {
  await endPushDevices(t, [device.id])
  const owner = await findUser(t, device.userId)
  if (owner === undefined) return
  const target = { type: 'push_device', id: device.id }
  await recordEvent(t, ctx, { event: 'push_device.removed', actor: bySystem, target, subjectId: owner.id, reason: 'registered_by_another' })
  const data = { kind: 'push', name: device.deviceName ?? '', by: 'another' } as const
  await notify(t, ctx, { to: owner.email, subjectId: owner.id, template: 'factor_removed', data })
}

type Place = Pick<PushDevice, 'id' | 'createdAt'> & { readonly isNew: boolean }
/**
 * Which row it becomes. A token that somebody else registered moves to the caller: whoever holds the phone now gets its messages, and nobody else's. A session
 * that speaks for a device already changes that device's token; any other begins a new one, for which the sign-in has to be recent.
 * @throws AppError insufficient_user_authentication, conflict
 */
const placeFor = async (t: TenantTx, ctx: RequestCtx, caller: User, tokenHash: Uint8Array): Promise<Place> => {
  const known = await findPushDeviceByToken(t, tokenHash)
  const own = await findPushDeviceOfSession(t, caller.userId, caller.sessionId)
  if (known !== undefined && known.userId !== caller.userId) await takeFrom(t, ctx, known)
  if (own !== undefined) {
    if (known !== undefined && known.userId === caller.userId && known.id !== own.id) await endPushDevices(t, [known.id])
    return { ...own, isNew: false }
  }
  requireRecentSignIn(ctx, caller, RECENT_SECONDS)
  const place = known?.userId === caller.userId ? known : { id: ctx.random.id(), createdAt: ctx.clock.now() }
  if ((await countPushDevices(t, caller.userId, place.id)) >= MOST_DEVICES)
    throw new AppError('conflict', 'There are as many devices as a person may have.')
  return { ...place, isNew: known?.userId !== caller.userId }
}

const ownerOf = ({ email, userId }: User) => ({ to: email, subjectId: userId })
const short = (text: string | undefined): string | null => (text === undefined ? null : (plainText(text, MOST_TEXT) ?? null))

/**
 * Registers the device at hand; from now on the caller's session speaks for it.
 * Routes that call this emit `push_device.registered`, `push_device.removed`.
 * @throws AppError invalid_request, insufficient_user_authentication, conflict
 */
export const registerPushDevice = async (ctx: RequestCtx, caller: User, request: PushDeviceRequest): Promise<string> => {
  const platform = requirePlatform(request)
  const tokenHash = ctx.hash('push-token', request.token)
  const deviceId = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    // Held, so that of many at once each counts those before it.
    await lockUser(t, caller.userId)
    const { id, createdAt, isNew } = await placeFor(t, ctx, caller, tokenHash)
    await putPushDevice(t, {
      id,
      userId: caller.userId,
      sessionId: caller.sessionId,
      platform,
      tokenHash,
      sealedToken: await ctx.keyring.seal(t, caller.userId, request.token, sealedTokenIn(id)),
      deviceName: short(request.name),
      deviceModel: short(request.model),
      appVersion: short(request.appVersion),
      osVersion: short(request.osVersion),
      isActive: true,
      createdAt,
    })
    const target = { type: 'push_device', id }
    await recordEvent(t, ctx, { event: 'push_device.registered', actor: byUser(caller), target, after: { platform, name: short(request.name) } })
    if (isNew) await notify(t, ctx, { ...ownerOf(caller), template: 'factor_added', data: { kind: 'push', name: short(request.name) ?? '' } })
    return id
  })
  ctx.wakeOutbox()
  return deviceId
}

export const listPushDevices = (ctx: Pick<BaseCtx, 'db'>, caller: User): Promise<PushDevice[]> =>
  findPushDevices(forTenant(ctx.db, caller.tenantId), caller.userId)

/**
 * Routes that call this emit `push_device.removed`.
 * @throws AppError device_unknown for what is not the caller's own, whoever's it is
 */
export const forgetPushDevice = async (ctx: RequestCtx, caller: User, deviceId: string): Promise<void> => {
  const id = deviceId.toLowerCase()
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!isUuid(id) || !(await removePushDevice(t, caller.userId, id))) throw new AppError('device_unknown')
    await recordEvent(t, ctx, { event: 'push_device.removed', actor: byUser(caller), target: { type: 'push_device', id } })
    await notify(t, ctx, { ...ownerOf(caller), template: 'factor_removed', data: { kind: 'push', name: '', by: 'owner' } })
  })
  ctx.wakeOutbox()
}
