// Routes of consents.
import { revokeConsent } from '#shared/domains/oauth/consents'
import { may, user } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { AdminGrantList, GrantFilter, GrantList, GrantPath, GrantRevoked } from './consents.schema.ts'
import { listConsentsOfTenant, listOwnConsents, revokeConsentOfPerson } from './consents.ts'
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
  route({
    id: 'oauth.listGrantsOfTenant',
    on: 'GET /authsec/consent-grants',
    summary: 'The consents of all people of the tenant to clients.',
    access: may('admin:access', 'users:read'),
    query: GrantFilter,
    reply: json(200, AdminGrantList),
    errors: [],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal, query }) => listConsentsOfTenant(ctx, principal, query),
  }),
  route({
    id: 'oauth.revokeGrantOfPerson',
    on: 'DELETE /authsec/consent-grants/:id',
    summary: 'Revoke a consent of a person; its tokens stop at once.',
    access: may('admin:access', 'users:write'),
    path: GrantPath,
    reply: json(200, GrantRevoked),
    errors: ['not_found'],
    emits: ['oauth.consent_revoked'],
    render: authsecError,
    handle: ({ ctx, principal, path }) => revokeConsentOfPerson(ctx, principal, path.id),
  }),
]
