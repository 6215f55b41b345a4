// Wire shapes of the searches (AuthZEN section 8).
import * as z from 'zod'
import { AccessContext, AccessSubject, Action, Resource } from './entities.schema.ts'

export const SEARCH_PAGE_SIZE = 100
const page = z.object({ token: z.string().max(500).optional(), limit: z.int().min(1).max(1000).optional() }).optional()
const context = AccessContext.optional()
/** The searched entity is given by its type; an id is ignored. */
const anyOf = z.object({ type: z.string().min(1).max(200) })

export const SubjectSearch = z.object({ subject: anyOf, action: Action, resource: Resource, context, page }).meta({ id: 'AccessSubjectSearch' })
export const ResourceSearch = z
  .object({ subject: AccessSubject, action: Action, resource: anyOf, context, page })
  .meta({ id: 'AccessResourceSearch' })
export const ActionSearch = z.object({ subject: AccessSubject, resource: Resource, context, page }).meta({ id: 'AccessActionSearch' })

/** `next_token` is empty on the last page. */
const pageOut = z.object({ next_token: z.string(), count: z.int() })
const found = z.object({ type: z.string(), id: z.string() })
export const Subjects = z.object({ results: z.array(found), page: pageOut }).meta({ id: 'AccessSubjects' })
export const Resources = z
  .object({
    results: z.array(found),
    page: pageOut,
    /** `tenant_wide`: the permission covers every resource of the type. Only resources that bindings name are listed. */
    context: z.object({ tenant_wide: z.boolean() }),
  })
  .meta({ id: 'AccessResources' })
export const Actions = z.object({ results: z.array(z.object({ name: z.string() })), page: pageOut }).meta({ id: 'AccessActions' })
