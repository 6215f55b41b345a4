// Phones and browsers on which a person answers backchannel requests. Registering one enrols a way to sign in.

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
/** Longest token of a provider; a browser's token is its whole subscription. */
const MOST_TOKEN = 500
/** The oldest sign-in that may register a device. */
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
  if (!isFit) throw new AppError('invalid_request', 'body.device_token: is not a token of that platform', { field: 'body.device_token' })
  return known
}

/** Removes a device that another person registered and notifies that person. */
const removeFromOwner = async (t: TenantTx, ctx: RequestCtx, device: PushDevice): Promise<void> => {
  await endPushDevices(t, [device.id])
  const owner = await findUser(t, device.userId)
  if (owner === undefined) return
  const target = { type: 'push_device', id: device.id }
  await recordEvent(t, ctx, { event: 'push_device.removed', actor: bySystem, target, subjectId: owner.id, reason: 'registered_by_another' })
  const data = { kind: 'push', name: device.deviceName ?? '', by: 'another' } as const
  await notify(t, ctx, { to: owner.email, subjectId: owner.id, template: 'factor_removed', data })
}

type DeviceSlot = Pick<PushDevice, 'id' | 'createdAt'> & { readonly isNew: boolean }
/**
 * Chooses the row. A token registered by another person moves to the caller, so that messages go only to the current holder of the phone. A session with a
 * device replaces that device's token; any other session begins a new row, which needs a recent sign-in.
 * @throws AppError insufficient_user_authentication, conflict
 */
const chooseRow = async (t: TenantTx, ctx: RequestCtx, caller: User, tokenHash: Uint8Array): Promise<DeviceSlot> => {
  const known = await findPushDeviceByToken(t, tokenHash)
  const own = await findPushDeviceOfSession(t, caller.userId, caller.sessionId)
  if (known !== undefined && known.userId !== caller.userId) await removeFromOwner(t, ctx, known)
  if (own !== undefined) {
    if (known !== undefined && known.userId === caller.userId && known.id !== own.id) await endPushDevices(t, [known.id])
    return { ...own, isNew: false }
  }
  requireRecentSignIn(ctx, caller, RECENT_SECONDS)
  const row = known?.userId === caller.userId ? known : { id: ctx.random.id(), createdAt: ctx.clock.now() }
  if ((await countPushDevices(t, caller.userId, row.id)) >= MOST_DEVICES)
    throw new AppError('conflict', 'You have reached the maximum number of devices.')
  return { ...row, isNew: known?.userId !== caller.userId }
}

const ownerOf = ({ email, userId }: User) => ({ to: email, subjectId: userId })
const short = (text: string | undefined): string | null => (text === undefined ? null : (plainText(text, MOST_TEXT) ?? null))

/**
 * Registers the caller's device and binds it to the caller's session.
 * Routes that call this emit `push_device.registered`, `push_device.removed`.
 * @throws AppError invalid_request, insufficient_user_authentication, conflict
 */
export const registerPushDevice = async (ctx: RequestCtx, caller: User, request: PushDeviceRequest): Promise<string> => {
  const platform = requirePlatform(request)
  const tokenHash = ctx.hash('push-token', request.token)
  const deviceId = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    // The lock makes concurrent registrations count each other.
    await lockUser(t, caller.userId)
    const { id, createdAt, isNew } = await chooseRow(t, ctx, caller, tokenHash)
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
 * @throws AppError device_unknown when the caller has no such device
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
