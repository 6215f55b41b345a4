// Wire shapes of agents on the paths of AuthSec.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const ListedPath = z.object({ id: Id })
export const ListedQuery = z.object({ agent_type: z.string().max(64).optional(), status: z.enum(['active', 'inactive', '']).optional() })
export const ListedAgent = z
  .object({
    id: z.uuid(),
    tenant_id: z.uuid(),
    name: z.string(),
    active: z.boolean(),
    agent_type: z.string(),
    spiffe_id: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'ListedAgent' })
export const ListedAgents = z.object({ agents: z.array(ListedAgent), total: z.int() }).meta({ id: 'ListedAgents' })
