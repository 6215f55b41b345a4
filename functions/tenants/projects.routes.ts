// Projects of the tenant.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CreatedProject, NewProject, Projects } from './projects.schema.ts'
import { createProject, showProjects } from './projects.ts'

export const projectRoutes = [
  route({
    id: 'admin.createProject',
    on: 'POST /authsec/uflow/admin/projects',
    summary: 'Make a project.',
    access: may('admin:access', 'admin:manage'),
    body: NewProject,
    reply: json(200, CreatedProject),
    errors: ['quota_exceeded'],
    emits: ['project.created'],
    handle: ({ ctx, principal, body }) => createProject(ctx, principal, body),
  }),
  route({
    id: 'admin.listProjects',
    on: 'GET /authsec/uflow/admin/projects',
    summary: 'The caller\u2019s own projects.',
    access: may('admin:access'),
    reply: json(200, Projects),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showProjects(ctx, principal),
  }),
]
