// What people allowed clients.
import { user } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { ownGrants, takeBack } from './consent-grants.ts'
import { GrantList, GrantPath } from './grants.schema.ts'
import { route } from './group.ts'

export const grantRoutes = [
  route({
    id: 'oauth.listGrants',
    on: 'GET /oauth/consent-grants',
    summary: 'What the caller allowed clients.',
    access: user(),
    reply: json(200, GrantList),
    errors: [],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal }) => ownGrants(ctx, principal),
  }),
  route({
    id: 'oauth.deleteGrant',
    on: 'DELETE /oauth/consent-grants/:id',
    summary: 'Take back what the caller allowed; it stops at once.',
    access: user(),
    path: GrantPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['oauth.grant_revoked'],
    render: authsecError,
    handle: ({ ctx, principal, path }) => takeBack(ctx, principal, path.id),
  }),
]
