// What people allowed clients.
import { revokeConsent } from '#shared/domains/oauth/consents'
import { user } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { GrantList, GrantPath } from './consents.schema.ts'
import { listOwnConsents } from './consents.ts'
import { route } from './group.ts'

export const consentRoutes = [
  route({
    id: 'oauth.listGrants',
    on: 'GET /oauth/consent-grants',
    summary: "The caller's consents to clients.",
    access: user(),
    reply: json(200, GrantList),
    errors: [],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal }) => listOwnConsents(ctx, principal),
  }),
  route({
    id: 'oauth.deleteGrant',
    on: 'DELETE /oauth/consent-grants/:id',
    summary: 'Revoke a consent of the caller; its tokens stop at once.',
    access: user(),
    path: GrantPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['oauth.grant_revoked'],
    render: authsecError,
    handle: ({ ctx, principal, path }) => revokeConsent(ctx, principal, path.id),
  }),
]
