// Routes of SVIDs.
import { may, workload } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { JwtSvidRequest, SvidPath, TokenSvid, WitSvidRequest, X509Svid, X509SvidRequest } from './svids.schema.ts'
import { jwtSvidFor, revokeSvidOfTenant, witSvidFor, x509SvidFor } from './svids.ts'

export const svidRoutes = [
  route({
    id: 'spiffe.issueJwtSvid',
    on: 'POST /spiffe/jwt',
    summary: 'A JWT-SVID for the calling workload and the audiences that its registration entry allows.',
    access: workload(),
    body: JwtSvidRequest,
    reply: json(200, TokenSvid),
    errors: ['not_found', 'invalid_request', 'invalid_target'],
    emits: ['svid.issued'],
    handle: ({ ctx, principal, body }) => jwtSvidFor(ctx, principal, body),
  }),
  route({
    id: 'spiffe.issueX509Svid',
    on: 'POST /spiffe/x509',
    summary: 'A new X.509-SVID for the calling workload, for the key of a certificate request.',
    access: workload(),
    body: X509SvidRequest,
    reply: json(200, X509Svid),
    errors: ['not_found', 'invalid_request'],
    emits: ['svid.issued'],
    handle: ({ ctx, principal, body }) => x509SvidFor(ctx, principal, body),
  }),
  route({
    id: 'spiffe.issueWitSvid',
    on: 'POST /spiffe/wit',
    summary: 'A WIT-SVID for the calling workload, bound to its key.',
    access: workload(),
    body: WitSvidRequest,
    reply: json(200, TokenSvid),
    errors: ['not_found', 'invalid_request'],
    emits: ['svid.issued'],
    handle: ({ ctx, principal, body }) => witSvidFor(ctx, principal, body),
  }),
  route({
    id: 'spiffe.revokeSvid',
    on: 'POST /spiffe/svids/:svid_id/revoke',
    summary: 'Revoke an SVID by its serial number or `jti`.',
    access: may('spire:manage'),
    path: SvidPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['svid.revoked'],
    handle: ({ ctx, principal, path }) => revokeSvidOfTenant(ctx, principal, path.svid_id),
  }),
]
