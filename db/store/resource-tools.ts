// Queries on the tools of resource servers and on how far a server is set up.
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { resourceSetups, resourceTools } from '../tables/resource-tools.ts'

export type { ToolDefinition, ToolSource } from '../tables/resource-tools.ts'
export type ResourceSetup = typeof resourceSetups.$inferSelect
export type ResourceTool = typeof resourceTools.$inferSelect
type SetupChange = Partial<Omit<typeof resourceSetups.$inferInsert, 'tenantId' | 'resourceServerId' | 'generation'>>

export const findResourceSetup = async (t: TenantDb, serverId: string): Promise<ResourceSetup | undefined> => {
  const [row] = await t.db
    .select()
    .from(resourceSetups)
    .where(and(ownRows(t, resourceSetups), eq(resourceSetups.resourceServerId, serverId)))
  return row
}

/** Locks the setup until the transaction ends, so that the tools of a server change one at a time. Creates it where there is none. */
export const lockResourceSetup = async (t: TenantTx, serverId: string): Promise<ResourceSetup> => {
  await t.db.insert(resourceSetups).values({ tenantId: t.tenantId, resourceServerId: serverId }).onConflictDoNothing()
  const [row] = await t.db
    .select()
    .from(resourceSetups)
    .where(and(ownRows(t, resourceSetups), eq(resourceSetups.resourceServerId, serverId)))
    .for('update')
  if (row === undefined) throw new Error('a setup that was inserted is there')
  return row
}

/** With a new generation when the tools changed. */
export const updateResourceSetup = async (t: TenantTx, serverId: string, set: SetupChange, toolsChanged: boolean): Promise<ResourceSetup> => {
  const [row] = await t.db
    .update(resourceSetups)
    .set({ ...set, generation: toolsChanged ? sql`${resourceSetups.generation} + 1` : sql`${resourceSetups.generation}` })
    .where(and(ownRows(t, resourceSetups), eq(resourceSetups.resourceServerId, serverId)))
    .returning()
  if (row === undefined) throw new Error('the setup is locked')
  return row
}

export const listResourceTools = (t: TenantDb, serverId: string): Promise<ResourceTool[]> =>
  t.db
    .select()
    .from(resourceTools)
    .where(and(ownRows(t, resourceTools), eq(resourceTools.resourceServerId, serverId)))
    .orderBy(asc(resourceTools.name))

export const insertResourceTools = async (t: TenantTx, rows: readonly Omit<typeof resourceTools.$inferInsert, 'tenantId'>[]): Promise<void> => {
  if (rows.length > 0) await t.db.insert(resourceTools).values(rows.map((row) => ({ ...row, tenantId: t.tenantId })))
}

export const updateResourceTool = async (
  t: TenantTx,
  id: string,
  set: Partial<Omit<typeof resourceTools.$inferInsert, 'tenantId' | 'id' | 'resourceServerId' | 'name'>>,
): Promise<void> => {
  await t.db
    .update(resourceTools)
    .set(set)
    .where(and(ownRows(t, resourceTools), eq(resourceTools.id, id)))
}

export const deleteResourceTools = async (t: TenantTx, ids: readonly string[]): Promise<void> => {
  if (ids.length > 0) await t.db.delete(resourceTools).where(and(ownRows(t, resourceTools), inArray(resourceTools.id, [...ids])))
}

/** Activates the declared tools of a server as they are. The others are no longer activated; their last digest stays. */
export const activateResourceTools = async (t: TenantTx, serverId: string): Promise<void> => {
  const r = resourceTools
  await t.db
    .update(r)
    .set({
      activated: sql`case when ${r.present} then ${r.definition} end`,
      activatedHash: sql`case when ${r.present} then ${r.definitionHash} else ${r.activatedHash} end`,
      dismissed: null,
    })
    .where(and(ownRows(t, r), eq(r.resourceServerId, serverId)))
}
