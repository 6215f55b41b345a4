// Routes of JWT-SVIDs in AuthSec's identity plane.
import { may, open, workload } from '#shared/platform/http/access'
import { planeError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { DelegatedJwtRequest, PlaneJwt, PlaneJwtRequest, RenewRequest, ValidateRequest, Validation } from './plane-jwt.schema.ts'
import { issueDelegated, issueForWorkload, renewJwt, validateJwt } from './plane-jwt.ts'

const render = planeError

export const planeJwtRoutes = [
  route({
    id: 'spiresvc.issueJwt',
    on: 'POST /authsec/spiresvc/v1/jwt/issue',
    summary: 'A JWT-SVID for the calling workload.',
    access: workload(),
    body: PlaneJwtRequest,
    reply: json(200, PlaneJwt),
    errors: ['forbidden', 'not_found', 'invalid_request', 'invalid_target'],
    emits: ['svid.issued'],
    render,
    handle: ({ ctx, principal, body }) => issueForWorkload(ctx, principal, body),
  }),
  route({
    id: 'spiresvc.issueDelegatedJwt',
    on: 'POST /authsec/spiresvc/v1/jwt/issue-delegated',
    summary: 'A JWT-SVID of a workload for an administrator to hand to it; it names the administrator.',
    access: may('admin:access', 'spire:manage'),
    body: DelegatedJwtRequest,
    reply: json(200, PlaneJwt),
    errors: ['forbidden', 'not_found', 'cannot_grant', 'invalid_request', 'invalid_target'],
    emits: ['svid.issued'],
    render,
    handle: ({ ctx, principal, body }) => issueDelegated(ctx, principal, body),
  }),
  route({
    id: 'spiresvc.validateJwt',
    on: 'POST /authsec/spiresvc/v1/jwt/validate',
    summary: 'Whether a JWT-SVID is valid at this moment, and its claims.',
    access: open('The token itself is what is validated, and whoever holds it can read its claims.', { class: 'credential' }),
    body: ValidateRequest,
    reply: json(200, Validation),
    errors: [],
    emits: 'nothing',
    render,
    handle: ({ ctx, body }) => validateJwt(ctx, body),
  }),
  route({
    id: 'spiresvc.renewJwt',
    on: 'POST /authsec/spiresvc/v1/jwt/renew',
    summary: 'Replace a valid JWT-SVID, at most until a day after the first of the series. The old one ends.',
    access: open('The valid token is the credential, and it ends with the call.', { class: 'credential' }),
    body: RenewRequest,
    reply: json(200, PlaneJwt),
    errors: ['invalid_token', 'invalid_target'],
    emits: ['svid.issued', 'svid.revoked'],
    render,
    handle: ({ ctx, body }) => renewJwt(ctx, body.token),
  }),
]
