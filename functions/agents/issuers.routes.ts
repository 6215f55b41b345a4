// Routes of trusted issuers. A trusted issuer can assert the identity of people of the tenant, so a change needs `admin:manage`, and
// a change that widens one also the whole administrator role and a recent sign-in with two factors.
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { IssuerChange, IssuerList, IssuerOut, IssuerPath, NewIssuer } from './issuers.schema.ts'
import { changeIssuer, createIssuer, readIssuer, removeIssuer, showIssuers } from './issuers.ts'

const reading = may('admin:access', 'clients:read')
const writing = may('admin:access', 'admin:manage')

export const issuerRoutes = [
  route({
    id: 'issuers.create',
    on: 'POST /trusted-issuers',
    summary:
      'Trust the assertions of another issuer (RFC 7523), or issue identity assertions (ID-JAG) for it, or both. Needs the whole administrator role and a recent sign-in with two factors.',
    access: writing,
    body: NewIssuer,
    reply: json(201, IssuerOut),
    errors: ['invalid_request', 'issuer_exists', 'quota_exceeded', 'cannot_grant', 'insufficient_user_authentication'],
    emits: ['trusted_issuer.created'],
    handle: ({ ctx, principal, body }) => createIssuer(ctx, principal, body),
  }),
  route({
    id: 'issuers.list',
    on: 'GET /trusted-issuers',
    summary: 'List the trusted issuers of the tenant.',
    access: reading,
    reply: json(200, IssuerList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showIssuers(ctx, principal),
  }),
  route({
    id: 'issuers.read',
    on: 'GET /trusted-issuers/:issuer_id',
    summary: 'Read an issuer, with the ETag that a change needs.',
    access: reading,
    path: IssuerPath,
    reply: json(200, IssuerOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readIssuer(ctx, principal, path.issuer_id),
  }),
  route({
    id: 'issuers.change',
    on: 'PATCH /trusted-issuers/:issuer_id',
    summary:
      'Change what is accepted from or issued for an issuer (If-Match required). Tokens based on its earlier assertions end. A change that widens it needs what creating one needs.',
    access: writing,
    path: IssuerPath,
    body: IssuerChange,
    reply: json(200, IssuerOut),
    errors: ['not_found', 'invalid_request', 'precondition_required', 'precondition_failed', 'cannot_grant', 'insufficient_user_authentication'],
    emits: ['trusted_issuer.updated'],
    handle: ({ ctx, principal, path, body }) => changeIssuer(ctx, principal, path.issuer_id, body),
  }),
  route({
    id: 'issuers.delete',
    on: 'DELETE /trusted-issuers/:issuer_id',
    summary: 'Remove an issuer. Tokens based on its assertions end.',
    access: writing,
    path: IssuerPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['trusted_issuer.deleted'],
    handle: ({ ctx, principal, path }) => removeIssuer(ctx, principal, path.issuer_id),
  }),
]
