// Wire shapes of client lists.
import * as z from 'zod'
import { ClientOut } from '#shared/domains/administration/clients.schema'
import { Id } from '#shared/domains/administration/fields.schema'

export const ClientsTenantPath = z.object({ tenantId: Id })
export const ClientPath = z.object({ tenantId: Id, id: Id })

export const TenantClientsBody = z.object({ tenant_id: Id, active_only: z.boolean().optional() }).meta({ id: 'TenantClientsBody' })
export const TenantClients = z
  .object({
    message: z.string(),
    success: z.literal(true),
    data: z.object({ tenant_id: z.string(), clients: z.array(ClientOut), count: z.int(), active_only: z.boolean() }),
    timestamp: z.string(),
  })
  .meta({ id: 'TenantClients' })

export const PlatformQuery = z.object({ platform: z.string().min(1).max(64) })
export const PlatformSelectors = z.object({ platform: z.string(), selector_keys: z.array(z.string()) }).meta({ id: 'PlatformSelectors' })
