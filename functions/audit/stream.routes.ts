// The route of the audit log as a stream.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AuditStream, StreamQuery } from './stream.schema.ts'
import { AUDIT_READ_PERMISSIONS, streamEvents } from './stream.ts'

export const streamRoutes = [
  route({
    id: 'audit.stream',
    on: 'GET /audit/stream',
    summary: 'Read the tenant\u2019s audit events after a cursor, oldest first; waits up to 25 seconds for an event.',
    access: may(...AUDIT_READ_PERMISSIONS),
    query: StreamQuery,
    reply: json(200, AuditStream),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => streamEvents(ctx, principal, query),
  }),
]
