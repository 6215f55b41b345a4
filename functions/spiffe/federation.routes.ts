// Routes of federated trust domains.
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { Federation, FederationList, FederationPath, FederationRequest } from './federation.schema.ts'
import { configureFederation, readFederation, removeFederation, showFederations } from './federation.ts'
import { route } from './group.ts'

const managing = may('spire:manage')

export const federationRoutes = [
  route({
    id: 'spiffe.listFederations',
    on: 'GET /spiffe/federation',
    summary: 'List the trust domains that the organisation federates with.',
    access: managing,
    reply: json(200, FederationList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showFederations(ctx, principal),
  }),
  route({
    id: 'spiffe.readFederation',
    on: 'GET /spiffe/federation/:domain',
    summary: 'Read a federated trust domain.',
    access: managing,
    path: FederationPath,
    reply: json(200, Federation),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readFederation(ctx, principal, path.domain),
  }),
  route({
    id: 'spiffe.configureFederation',
    on: 'PUT /spiffe/federation/:domain',
    summary: 'Federate with a trust domain by the URL of its bundle, which is fetched now and refreshed when its hint has passed.',
    access: managing,
    path: FederationPath,
    body: FederationRequest,
    reply: json(200, Federation),
    errors: ['invalid_request', 'bundle_url_refused', 'bundle_unavailable', 'sequence_regressed', 'quota_exceeded'],
    emits: ['federation.bundle_configured'],
    handle: ({ ctx, principal, path, body }) => configureFederation(ctx, principal, path.domain, body),
  }),
  route({
    id: 'spiffe.removeFederation',
    on: 'DELETE /spiffe/federation/:domain',
    summary: 'Stop federating with a trust domain.',
    access: managing,
    path: FederationPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['federation.bundle_removed'],
    handle: ({ ctx, principal, path }) => removeFederation(ctx, principal, path.domain),
  }),
]
