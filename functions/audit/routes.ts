// All routes of the group.
import { may } from '#shared/platform/http/access'
import { json, text } from '#shared/platform/http/route'
import { AuditPage, AuditQuery, ExportQuery } from './events.schema.ts'
import { exportEvents, queryEvents } from './events.ts'
import { route } from './group.ts'
import { streamRoutes } from './stream.routes.ts'

export const auditRoutes = [
  route({
    id: 'audit.query',
    on: 'GET /audit/events',
    summary: 'Read the tenant\u2019s audit log, newest first, by filter and cursor.',
    access: may('admin:access', 'audit:read'),
    query: AuditQuery,
    reply: json(200, AuditPage),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => queryEvents(ctx, principal, query),
  }),
  route({
    id: 'audit.export',
    on: 'GET /audit/export',
    summary: 'Export the tenant\u2019s audit log as JSON lines.',
    access: may('admin:access', 'audit:read'),
    query: ExportQuery,
    reply: text(200, 'application/jsonl; charset=utf-8', { 'Content-Disposition': 'attachment; filename="audit.jsonl"' }),
    errors: [],
    emits: ['audit.exported'],
    handle: ({ ctx, principal, query }) => exportEvents(ctx, principal, query),
  }),
  ...streamRoutes,
]
