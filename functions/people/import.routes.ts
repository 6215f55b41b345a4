// Import of people from a CSV file.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ImportBody, Imported, ImportQuery, MOST_IMPORT_BYTES } from './import.schema.ts'

export const importRoutes = [
  route({
    id: 'people.import',
    on: 'POST /people/import',
    summary: 'Add and change people from a CSV file; dry_run reports the changes without applying them.',
    access: may('admin:access', 'users:write'),
    query: ImportQuery,
    body: ImportBody,
    bodyType: 'text/csv',
    maxBodyBytes: MOST_IMPORT_BYTES,
    reply: json(200, Imported),
    errors: ['invalid_request'],
    emits: ['people.imported', 'user.created', 'user.updated', 'user.email_changed', 'user.activated', 'user.deactivated'],
    handle: async ({ ctx, principal, query, body }) => (await import('./import.ts')).importPeople(ctx, principal, query, body),
  }),
]
