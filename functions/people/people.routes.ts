// Administration of people: list, record, change, export and erasure.
import type { ErrorCode } from '#shared/kernel/errors'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { PatchPerson, PeoplePage, PeopleQuery, Person, PersonErased, PersonExport, PersonPath } from './people.schema.ts'
import { listPeoplePage, patchPerson, showPerson } from './people.ts'

const PROFILE: readonly ErrorCode[] = ['not_found', 'email_taken', 'username_taken', 'cannot_grant', 'forbidden']

export const personRoutes = [
  route({
    id: 'people.list',
    on: 'GET /people',
    summary: 'List people of the tenant, by filter, part of name or address, sort order and cursor.',
    access: may('admin:access', 'users:read'),
    query: PeopleQuery,
    reply: json(200, PeoplePage),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => listPeoplePage(ctx, principal, query),
  }),
  route({
    id: 'people.get',
    on: 'GET /people/:user_id',
    summary: 'One person, with the ETag that a change needs.',
    access: may('admin:access', 'users:read'),
    path: PersonPath,
    reply: json(200, Person),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => showPerson(ctx, principal, path.user_id),
  }),
  route({
    id: 'people.update',
    on: 'PATCH /people/:user_id',
    summary: 'Change a person\u2019s record (If-Match required).',
    access: may('admin:access', 'users:write'),
    path: PersonPath,
    body: PatchPerson,
    reply: json(200, Person),
    errors: [...PROFILE, 'precondition_required', 'precondition_failed'],
    emits: ['user.updated', 'user.email_changed'],
    handle: ({ ctx, principal, path, body }) => patchPerson(ctx, principal, path.user_id, body),
  }),
  route({
    id: 'people.export',
    on: 'GET /people/:user_id/export',
    summary: 'Export all data of one person, including the audit log.',
    access: may('admin:access', 'users:read', 'audit:read'),
    path: PersonPath,
    reply: json(200, PersonExport, { 'Content-Disposition': 'attachment; filename="person.json"' }),
    errors: ['not_found'],
    emits: ['user.exported'],
    handle: async ({ ctx, principal, path }) => (await import('./subject-export.ts')).exportPerson(ctx, principal, path.user_id),
  }),
  route({
    id: 'people.erase',
    on: 'POST /people/:user_id/erase',
    summary: 'Erase a person; personal details in the audit log can never be decrypted again.',
    access: may('admin:access', 'users:delete'),
    path: PersonPath,
    reply: json(200, PersonErased),
    errors: ['not_found', 'forbidden', 'primary_administrator', 'last_administrator', 'last_active_user', 'cannot_grant'],
    emits: ['user.erased'],
    handle: async ({ ctx, principal, path }) => (await import('./subject-export.ts')).erasePerson(ctx, principal, path.user_id),
  }),
]
