// The outbound client for tenants' URLs, loaded with the first request.
import type { PlatformCtx } from '#shared/platform/context'
import type { Outbound } from './guarded.ts'

export const lazyOutbound = (ctx: Pick<PlatformCtx, 'config' | 'tracer'>): Outbound => {
  let opened: Promise<Outbound> | undefined
  return {
    loopback: ctx.config.OUTBOUND_LOOPBACK === 'on',
    send: async (call) => {
      opened ??= import('./configured.ts').then(({ tenantOutbound }) => tenantOutbound(ctx))
      return (await opened).send(call)
    },
  }
}
