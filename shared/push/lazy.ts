// Push messages, loaded by whoever sends the first.
import type { BaseCtx } from '../context.ts'
import type { Outbound } from '../fetch/guarded.ts'
import type { Push } from './push.ts'

export const lazyPush = (ctx: BaseCtx & { readonly outbound: Outbound }): Push => {
  let opened: Promise<Push> | undefined
  return {
    send: async (device, message) => {
      opened ??= import('./configured.ts').then(({ configuredPush }) => configuredPush(ctx))
      return (await opened).send(device, message)
    },
  }
}
