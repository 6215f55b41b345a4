// Phones and browsers that are asked when somebody signs in elsewhere: seen, added and removed on the account page.
import type { PushDevice } from '#db/store/push-devices'
import { forgetPushDevice, listPushDevices, registerPushDevice } from '#shared/domains/ciba/devices'
import { browserLanguage } from '#shared/domains/notifications/reader-language'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { Sent } from '#shared/platform/http/route'
import { deviceName } from '#shared/platform/outbox/mail/device-name'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** The key that browsers are told to take pushes from (RFC 8292 section 3.2); undefined where none are sent. */
export const pushKey = ({ config }: Pick<Ctx, 'config'>): string | undefined => config.VAPID_PUBLIC_KEY

/** Those that are asked now. */
export const askedDevices = async (ctx: Ctx, principal: User): Promise<readonly PushDevice[]> =>
  (await listPushDevices(ctx, principal)).filter(({ isActive }) => isActive)

/** @throws AppError not_found, insufficient_user_authentication, invalid_request, factor_limit */
export const addBrowser = async (ctx: Ctx, principal: User, subscription: string): Promise<Sent<undefined>> => {
  if (pushKey(ctx) === undefined) throw new AppError('not_found')
  const asked = { token: subscription, platform: 'web', name: deviceName(ctx.request.userAgent, await browserLanguage(ctx)) }
  await registerPushDevice(onPage(ctx), principal, asked).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'conflict') throw new AppError('factor_limit')
    throw error
  })
  return sendTo(ctx, HOME, { say: 'browser_added' })
}

/** @throws AppError not_found */
export const removeDevice = async (ctx: Ctx, principal: User, deviceId: string): Promise<Sent<undefined>> => {
  await forgetPushDevice(onPage(ctx), principal, deviceId).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'device_unknown') throw new AppError('not_found')
    throw error
  })
  return sendTo(ctx, HOME, { say: 'device_removed' })
}
