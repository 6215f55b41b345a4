// Loads the push providers with the first message.
import type { PlatformCtx } from '#shared/platform/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Push } from './push.ts'

export const lazyPush = (ctx: PlatformCtx & { readonly outbound: Outbound }): Push => {
  let opened: Promise<Push> | undefined
  return {
    send: async (device, message) => {
      opened ??= import('./configured.ts').then(({ configuredPush }) => configuredPush(ctx))
      return (await opened).send(device, message)
    },
  }
}
