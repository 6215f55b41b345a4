// Routes of join tokens.
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CreatedJoinToken, JoinTokenList, JoinTokenPath, JoinTokensQuery, NewJoinToken } from './join-tokens.schema.ts'
import { createJoinToken, removeJoinToken, showJoinTokens } from './join-tokens.ts'

const managing = may('spire:manage')

export const joinTokenRoutes = [
  route({
    id: 'joinTokens.create',
    on: 'POST /spiffe/join-tokens',
    summary: 'Make a token with which one workload joins, once. Needs the whole administrator role.',
    access: managing,
    body: NewJoinToken,
    reply: json(201, CreatedJoinToken),
    errors: ['invalid_request', 'quota_exceeded', 'cannot_grant'],
    emits: ['join_token.created'],
    handle: ({ ctx, principal, body }) => createJoinToken(ctx, principal, body),
  }),
  route({
    id: 'joinTokens.list',
    on: 'GET /spiffe/join-tokens',
    summary: 'List the join tokens of the tenant, newest first, without their secrets.',
    access: managing,
    query: JoinTokensQuery,
    reply: json(200, JoinTokenList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => showJoinTokens(ctx, principal, query),
  }),
  route({
    id: 'joinTokens.delete',
    on: 'DELETE /spiffe/join-tokens/:id',
    summary: 'Delete a join token. A workload that joined with it stays.',
    access: managing,
    path: JoinTokenPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['join_token.deleted'],
    handle: ({ ctx, principal, path }) => removeJoinToken(ctx, principal, path.id),
  }),
]
