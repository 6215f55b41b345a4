// Agents on the paths of AuthSec: every client of type `ai_agent`, with or without an owner.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listClients } from '#db/store/client-list'
import { type Client, findClient } from '#db/store/clients'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { ListedAgent, ListedAgents, ListedQuery } from './listed.schema.ts'

const MAX_LISTED = 1000

const toResponse = (row: Client): z.input<typeof ListedAgent> => ({
  id: row.id,
  tenant_id: row.tenantId,
  name: row.name,
  active: row.active,
  agent_type: row.agentType ?? '',
  spiffe_id: row.spiffeId ?? '',
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const isAgent = (row: Client | undefined): row is Client => row?.clientType === 'ai_agent' && row.status !== 'Deleted'

export const listedAgents = async (ctx: Ctx, caller: User, query: z.output<typeof ListedQuery>): Promise<z.input<typeof ListedAgents>> => {
  const filter = {
    clientType: 'ai_agent',
    ...(query.agent_type === undefined || query.agent_type === '' ? {} : { agentType: query.agent_type }),
    ...(query.status === undefined || query.status === '' ? {} : { active: query.status === 'active' }),
  }
  const page = { sort: 'created_at' as const, descending: true, limit: MAX_LISTED }
  const agents = (await listClients(forTenant(ctx.db, caller.tenantId), filter, page)).map(toResponse)
  return { agents, total: agents.length }
}

/** @throws AppError not_found */
export const listedAgent = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ListedAgent>> => {
  const row = await findClient(forTenant(ctx.db, caller.tenantId), id)
  if (!isAgent(row)) throw new AppError('not_found', 'Agent not found')
  return toResponse(row)
}
