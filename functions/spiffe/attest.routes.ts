// The route by which workloads get their first SVIDs.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { Attest, AttestedSvids, AttestPath } from './attest.schema.ts'
import { svidsForEvidence } from './attest.ts'
import { route } from './group.ts'

export const attestRoutes = [
  route({
    id: 'spiffe.attest',
    on: 'POST /spiffe/:tenant/attest',
    summary: 'Get the SVIDs of a workload for evidence of its platform. A DPoP proof of the workload\u2019s key accompanies it.',
    access: open('The evidence is the credential, and a proof shows the key that it is bound to.', { class: 'credential' }),
    path: AttestPath,
    body: Attest,
    reply: json(200, AttestedSvids),
    errors: ['attestation_failed', 'invalid_dpop_proof', 'use_dpop_nonce', 'invalid_request', 'invalid_target', 'not_found'],
    emits: ['workload.attested', 'svid.issued'],
    handle: ({ ctx, path, body }) => svidsForEvidence(ctx, path.tenant, body),
  }),
]
