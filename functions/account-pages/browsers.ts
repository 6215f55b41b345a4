// Devices that receive a prompt when the person signs in elsewhere: listed, added and removed on the account page.
import type { PushDevice } from '#db/store/push-devices'
import { forgetPushDevice, listPushDevices, registerPushDevice } from '#shared/domains/ciba/devices'
import { browserLanguage } from '#shared/domains/notifications/reader-language'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { HttpResult } from '#shared/platform/http/route'
import { deviceName } from '#shared/platform/outbox/mail/device-name'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** The application server key of push subscriptions (RFC 8292 section 3.2), or undefined when pushes are not configured. */
export const pushKey = ({ config }: Pick<Ctx, 'config'>): string | undefined => config.VAPID_PUBLIC_KEY

/** The devices that receive prompts now. */
export const listActiveDevices = async (ctx: Ctx, principal: User): Promise<readonly PushDevice[]> =>
  (await listPushDevices(ctx, principal)).filter(({ isActive }) => isActive)

/** @throws AppError not_found, insufficient_user_authentication, invalid_request, factor_limit */
export const addBrowser = async (ctx: Ctx, principal: User, subscription: string): Promise<HttpResult<undefined>> => {
  if (pushKey(ctx) === undefined) throw new AppError('not_found')
  const request = { token: subscription, platform: 'web', name: deviceName(ctx.request.userAgent, await browserLanguage(ctx)) }
  await registerPushDevice(withPageOrigin(ctx), principal, request).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'conflict') throw new AppError('factor_limit')
    throw error
  })
  return redirect(ctx, HOME, { say: 'browser_added' })
}

/** @throws AppError not_found */
export const removeBrowser = async (ctx: Ctx, principal: User, deviceId: string): Promise<HttpResult<undefined>> => {
  await forgetPushDevice(withPageOrigin(ctx), principal, deviceId).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'device_unknown') throw new AppError('not_found')
    throw error
  })
  return redirect(ctx, HOME, { say: 'device_removed' })
}
