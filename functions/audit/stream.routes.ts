// The record for a system that pulls it.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AuditStream, StreamQuery } from './stream.schema.ts'
import { AUDIT_READ_PERMISSIONS, streamEvents } from './stream.ts'

export const streamRoutes = [
  route({
    id: 'audit.stream',
    on: 'GET /audit/stream',
    summary: 'The tenant\u2019s record since a cursor, oldest first; waits up to 25 seconds for something to tell.',
    access: may(...AUDIT_READ_PERMISSIONS),
    query: StreamQuery,
    reply: json(200, AuditStream),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => streamEvents(ctx, principal, query),
  }),
]
