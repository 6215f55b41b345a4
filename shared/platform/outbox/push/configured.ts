// The push providers in the configuration. Platforms without a provider receive no messages.
import { ConfigError } from '#shared/kernel/config'
import type { PlatformCtx } from '#shared/platform/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { fcmPush, parseServiceAccount } from './fcm.ts'
import { type Push, routedPush } from './push.ts'
import { webPush } from './web-push.ts'

type Deps = Pick<PlatformCtx, 'config' | 'clock'> & { readonly outbound: Outbound }

const browsers = ({ config, clock, outbound }: Deps): Push | undefined => {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = config
  if (publicKey === undefined && privateKey === undefined) return undefined
  if (publicKey === undefined || privateKey === undefined || subject === undefined) {
    throw new ConfigError('VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT: must be set together')
  }
  return webPush({ vapid: { subject, publicKey, privateKey }, outbound, clock })
}

/** Whether the configuration has a real provider. */
export const sendsPushes = ({ config }: Pick<PlatformCtx, 'config'>): boolean =>
  config.FCM_SERVICE_ACCOUNT !== undefined || config.VAPID_PRIVATE_KEY !== undefined

/** @throws ConfigError that names the malformed or missing variable */
export const configuredPush = (ctx: Deps): Push => {
  const account = ctx.config.FCM_SERVICE_ACCOUNT
  const phones = account === undefined ? undefined : fcmPush({ account: parseServiceAccount(account), clock: ctx.clock })
  return routedPush({ phones, browsers: browsers(ctx) })
}
