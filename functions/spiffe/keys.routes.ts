// Routes of the trust domain's keys.
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { may, mayFresh } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { KeyPath, TrustDomainOut } from './keys.schema.ts'
import { readTrustDomain, revokeKeyOfTrustDomain } from './keys.ts'

export const keyRoutes = [
  route({
    id: 'spiffe.readTrustDomain',
    on: 'GET /spiffe/trust-domain',
    summary: 'Read the organisation\u2019s trust domain and its keys.',
    access: may('spire:manage'),
    reply: json(200, TrustDomainOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal }) => readTrustDomain(ctx, principal),
  }),
  route({
    id: 'spiffe.revokeKey',
    on: 'POST /spiffe/keys/:kid/revoke',
    summary: 'Revoke a key in an emergency: it leaves the bundle at once, and every SVID that it signed is revoked. Needs a recent sign-in.',
    access: mayFresh({ withinSeconds: STEP_UP_SECONDS }, 'spire:manage'),
    path: KeyPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['workload_key.revoked'],
    handle: ({ ctx, principal, path }) => revokeKeyOfTrustDomain(ctx, principal, path.kid),
  }),
]
