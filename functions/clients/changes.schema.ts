// Wire shapes of client changes.
import * as z from 'zod'
import { ClientIdText, ClientOut } from '#shared/domains/administration/clients.schema'
import { Id } from '#shared/domains/administration/fields.schema'
import { Email } from '#shared/kernel/email'

export const ClientChange = z
  .object({
    name: z.string().trim().min(1).max(256).optional(),
    email: Email.optional(),
    active: z.boolean().optional(),
    status: z.enum(['Active', 'Development', 'Deleted']).optional(),
    tags: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
    hydra_client_id: z.string().min(1).max(200).optional(),
    oidc_enabled: z.boolean().optional(),
  })
  .meta({ id: 'ClientChange' })

export const DeletedClient = z.object({ message: z.string(), id: z.string(), deleted: z.literal(true) }).meta({ id: 'DeletedClient' })
export const SwitchedClient = z.object({ message: z.string(), client: ClientOut }).meta({ id: 'SwitchedClient' })

const named = { tenant_id: Id, client_id: ClientIdText }
export const RemoveClient = z.object(named).meta({ id: 'RemoveClient' })
export const RemovedClient = z.object({ message: z.string(), tenant_id: z.string(), client_id: z.string() }).meta({ id: 'RemovedClient' })

export const SetClientStatus = z.object({ ...named, active: z.boolean().default(false) }).meta({ id: 'SetClientStatus' })
export const ClientStatusSet = z
  .object({
    message: z.string(),
    success: z.literal(true),
    data: z.object({ tenant_id: z.string(), client_id: z.string(), active: z.boolean(), client: ClientOut }),
    timestamp: z.string(),
  })
  .meta({ id: 'ClientStatusSet' })
