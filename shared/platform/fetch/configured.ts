// The way out to addresses that tenants chose, as the configuration has it.
import type { PlatformCtx } from '#shared/platform/context'
import { outbound } from '#shared/platform/trace/trace'
import { guardedFetch, type Outbound, systemResolver } from './guarded.ts'

export const tenantOutbound = ({ config, tracer }: Pick<PlatformCtx, 'config' | 'tracer'>): Outbound => {
  const guarded = guardedFetch({ resolver: systemResolver, loopback: config.OUTBOUND_LOOPBACK === 'on' })
  return { ...guarded, send: outbound(tracer, 'tenant_url', guarded.send) }
}
