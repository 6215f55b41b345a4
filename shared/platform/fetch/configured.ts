// The outbound client for URLs that tenants configured.
import type { PlatformCtx } from '#shared/platform/context'
import { traceOutbound } from '#shared/platform/trace/trace'
import { guardedFetch, type Outbound, systemAddressResolver } from './guarded.ts'

export const tenantOutbound = ({ config, tracer }: Pick<PlatformCtx, 'config' | 'tracer'>): Outbound => {
  const guarded = guardedFetch({ resolver: systemAddressResolver, loopback: config.OUTBOUND_LOOPBACK === 'on' })
  return { ...guarded, send: traceOutbound(tracer, 'tenant_url', guarded.send) }
}
