// Queries on agents and delegation policies.
import { and, asc, eq, type SQL } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { type AgentStatus, agents, delegationPolicies } from '../tables/agents.ts'
import { clients } from '../tables/clients.ts'
import { afterCursor, keysetOrder, type Page } from './keyset.ts'

export type { AgentStatus } from '../tables/agents.ts'

type AgentRow = typeof agents.$inferSelect
/** The agent with the data of its client. */
export type Agent = AgentRow & {
  readonly name: string
  readonly description: string
  readonly spiffeId: string | null
  readonly method: string | null
  readonly dpopBound: boolean
  readonly grantTypes: readonly string[]
  readonly serviceAccountId: string | null
}
export type AgentFilter = { readonly ownerId?: string; readonly agentType?: string; readonly status?: AgentStatus }

const own = (t: TenantDb, id: string) => and(ownRows(t, agents), eq(agents.id, id))
const columns = { id: agents.id, by: { created_at: agents.createdAt } }

const select = (t: TenantDb, where: SQL | undefined) =>
  t.db
    .select({
      tenantId: agents.tenantId,
      id: agents.id,
      ownerId: agents.ownerId,
      agentType: agents.agentType,
      status: agents.status,
      createdBy: agents.createdBy,
      createdAt: agents.createdAt,
      updatedAt: agents.updatedAt,
      name: clients.name,
      description: clients.description,
      spiffeId: clients.spiffeId,
      method: clients.tokenEndpointAuthMethod,
      dpopBound: clients.dpopBound,
      grantTypes: clients.grantTypes,
      serviceAccountId: clients.serviceAccountId,
    })
    .from(agents)
    .innerJoin(clients, and(eq(clients.tenantId, agents.tenantId), eq(clients.id, agents.id)))
    .where(where)

export const insertAgent = async (t: TenantTx, row: Omit<typeof agents.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(agents).values({ ...row, tenantId: t.tenantId })
}

export const findAgent = async (t: TenantDb, id: string): Promise<Agent | undefined> => {
  const [row] = await select(t, own(t, id))
  return row
}

export const listAgents = (t: TenantDb, f: AgentFilter, page: Page<'created_at'>): Promise<Agent[]> =>
  select(
    t,
    and(
      ownRows(t, agents),
      f.ownerId === undefined ? undefined : eq(agents.ownerId, f.ownerId),
      f.agentType === undefined ? undefined : eq(agents.agentType, f.agentType),
      f.status === undefined ? undefined : eq(agents.status, f.status),
      afterCursor(page, columns),
    ),
  )
    .orderBy(...keysetOrder(page, columns))
    .limit(page.limit)

export const updateAgent = async (
  t: TenantTx,
  id: string,
  set: Partial<Pick<AgentRow, 'ownerId' | 'status'>> & { readonly updatedAt: Date },
): Promise<void> => {
  await t.db.update(agents).set(set).where(own(t, id))
}

export type DelegationPolicy = typeof delegationPolicies.$inferSelect
export type NewDelegationPolicy = Omit<typeof delegationPolicies.$inferInsert, 'tenantId'>
export type PolicyFilter = { readonly roleName?: string; readonly agentType?: string; readonly enabled?: boolean }

const ownPolicy = (t: TenantDb, id: string) => and(ownRows(t, delegationPolicies), eq(delegationPolicies.id, id))

/** @throws unique_violation when a policy of the same role and agent type exists */
export const insertDelegationPolicy = async (t: TenantTx, row: NewDelegationPolicy): Promise<DelegationPolicy> => {
  const [inserted] = await t.db
    .insert(delegationPolicies)
    .values({ ...row, tenantId: t.tenantId })
    .returning()
  if (inserted === undefined) throw new Error('an insert returns its row')
  return inserted
}

export const findDelegationPolicy = async (t: TenantDb, id: string): Promise<DelegationPolicy | undefined> => {
  const [row] = await t.db.select().from(delegationPolicies).where(ownPolicy(t, id))
  return row
}

export const lockDelegationPolicy = async (t: TenantTx, id: string): Promise<DelegationPolicy | undefined> => {
  const [row] = await t.db.select().from(delegationPolicies).where(ownPolicy(t, id)).for('update')
  return row
}

export const listDelegationPolicies = (t: TenantDb, f: PolicyFilter, limit: number): Promise<DelegationPolicy[]> => {
  const p = delegationPolicies
  return t.db
    .select()
    .from(p)
    .where(
      and(
        ownRows(t, p),
        f.roleName === undefined ? undefined : eq(p.roleName, f.roleName),
        f.agentType === undefined ? undefined : eq(p.agentType, f.agentType),
        f.enabled === undefined ? undefined : eq(p.enabled, f.enabled),
      ),
    )
    .orderBy(asc(p.roleName), asc(p.agentType), asc(p.id))
    .limit(limit)
}

export const updateDelegationPolicy = async (t: TenantTx, id: string, set: Partial<NewDelegationPolicy>): Promise<DelegationPolicy | undefined> => {
  const [row] = await t.db.update(delegationPolicies).set(set).where(ownPolicy(t, id)).returning()
  return row
}

export const deleteDelegationPolicy = async (t: TenantTx, id: string): Promise<boolean> =>
  (await t.db.delete(delegationPolicies).where(ownPolicy(t, id)).returning({ id: delegationPolicies.id })).length === 1
