// Routes of the searches (AuthZEN section 8).
import { userOrClient } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ActionSearch, Actions, ResourceSearch, Resources, SubjectSearch, Subjects } from './search.schema.ts'
import { searchActions, searchResources, searchSubjects } from './search.ts'

export const searchRoutes = [
  route({
    id: 'access.searchSubjects',
    on: 'POST /access/v1/search/subject',
    summary: 'List the subjects that may perform an action on a resource.',
    access: userOrClient('policy:check'),
    body: SubjectSearch,
    reply: json(200, Subjects),
    errors: ['insufficient_scope', 'invalid_request'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => searchSubjects(ctx, principal, body),
  }),
  route({
    id: 'access.searchResources',
    on: 'POST /access/v1/search/resource',
    summary: 'List the resources on which a subject may perform an action.',
    access: userOrClient('policy:check'),
    body: ResourceSearch,
    reply: json(200, Resources),
    errors: ['insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => searchResources(ctx, principal, body),
  }),
  route({
    id: 'access.searchActions',
    on: 'POST /access/v1/search/action',
    summary: 'List the actions that a subject may perform on a resource.',
    access: userOrClient('policy:check'),
    body: ActionSearch,
    reply: json(200, Actions),
    errors: ['insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => searchActions(ctx, principal, body),
  }),
]
