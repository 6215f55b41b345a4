// Queries on projects.
import { and, desc, eq, isNull } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { projects } from '../tables/tenants.ts'

export type Project = typeof projects.$inferSelect

export const insertProject = async (
  t: TenantTx,
  row: { readonly id: string; readonly name: string; readonly description?: string; readonly userId: string; readonly at: Date },
): Promise<Project> => {
  const { at, ...own } = row
  const [added] = await t.db
    .insert(projects)
    .values({ ...own, tenantId: t.tenantId, createdAt: at, updatedAt: at })
    .returning()
  if (added === undefined) throw new Error('the project was just added')
  return added
}

/** Whether the tenant has this project. */
export const hasProject = async (t: TenantDb, id: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: projects.id })
    .from(projects)
    .where(and(ownRows(t, projects), eq(projects.id, id), isNull(projects.deletedAt)))
  return rows.length === 1
}

/** Projects that a person created, newest first. */
export const listProjectsOf = (t: TenantDb, userId: string): Promise<Project[]> =>
  t.db
    .select()
    .from(projects)
    .where(and(ownRows(t, projects), eq(projects.userId, userId), isNull(projects.deletedAt)))
    .orderBy(desc(projects.createdAt), desc(projects.id))
    .limit(1000)
