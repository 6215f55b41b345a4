// Projects of the caller's tenant, listed for the person who created them.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { insertProject, listProjectsOf, type Project } from '#db/store/projects'
import { findUser } from '#db/store/users'
import { requireTenant } from '#shared/domains/administration/people'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CreatedProject, NewProject, ProjectOut, Projects } from './projects.schema.ts'

type Maker = z.input<typeof ProjectOut>['user']

const makerOf = async (t: TenantDb, caller: User): Promise<Maker> => {
  const user = await findUser(t, caller.userId)
  return { id: caller.userId, email: caller.email, name: user?.name ?? '' }
}

const toResponse = (row: Project, user: Maker): z.input<typeof ProjectOut> => ({
  id: row.id,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
  deleted_at: row.deletedAt?.toISOString() ?? null,
  name: row.name,
  description: row.description,
  user_id: user.id,
  tenant_id: row.tenantId,
  active: row.active,
  user,
})

/** @throws AppError quota_exceeded */
export const createProject = async (ctx: Ctx, caller: User, body: z.output<typeof NewProject>): Promise<z.input<typeof CreatedProject>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await consumeQuota(t, (await requireTenant(t)).settings, 'projects')
    const row = await insertProject(t, {
      id: ctx.random.id(),
      name: body.name,
      description: body.description ?? '',
      userId: caller.userId,
      at: ctx.clock.now(),
    })
    const after = { name: row.name, description: row.description }
    await recordEvent(t, ctx, { event: 'project.created', actor: byUser(caller), target: { type: 'project', id: row.id }, after })
    return { message: 'Project created successfully', project: toResponse(row, await makerOf(t, caller)) }
  })

/** The caller's own, newest first. */
export const showProjects = async (ctx: Ctx, caller: User): Promise<z.input<typeof Projects>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const [rows, maker] = [await listProjectsOf(t, caller.userId), await makerOf(t, caller)]
  return { projects: rows.map((row) => toResponse(row, maker)) }
}
