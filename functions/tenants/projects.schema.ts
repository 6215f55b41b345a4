// Wire shapes of projects.
import * as z from 'zod'
import { Description } from '#shared/domains/administration/fields.schema'

export const NewProject = z.object({ name: z.string().trim().min(1).max(200), description: Description.optional() }).meta({ id: 'NewProject' })
export const ProjectOut = z
  .object({
    id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    deleted_at: z.string().nullable(),
    name: z.string(),
    description: z.string(),
    user_id: z.string(),
    tenant_id: z.string(),
    active: z.boolean(),
    user: z.object({ id: z.string(), email: z.string(), name: z.string() }),
  })
  .meta({ id: 'Project' })
export const CreatedProject = z.object({ message: z.string(), project: ProjectOut }).meta({ id: 'CreatedProject' })
export const Projects = z.object({ projects: z.array(ProjectOut) }).meta({ id: 'Projects' })
