// Wire shapes of health. Public, so they contain only a status: no addresses, figures or names.
import * as z from 'zod'

const Check = z.object({ healthy: z.boolean(), message: z.string() })

const Unhealthy = z.object({
  status: z.literal('unhealthy'),
  timestamp: z.iso.datetime(),
  version: z.string(),
  database: z.enum(['connected', 'disconnected']),
  checks: z.object({ database: Check, redis_cache: Check, vault: Check, system: Check, metrics: Check }),
})

export const HealthUnhealthy = Unhealthy.meta({ id: 'HealthUnhealthy' })
export const HealthHealthy = Unhealthy.extend({ status: z.enum(['healthy', 'degraded']), response_time_ms: z.int() }).meta({ id: 'HealthHealthy' })
export const HealthDelegated = z.object({ status: z.literal('delegated'), message: z.string() }).meta({ id: 'HealthDelegated' })
export const HealthTenantPath = z.object({ tenant_id: z.string() })
