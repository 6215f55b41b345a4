// A route that attests as one that issues identities does, for tests of attestation alone.
import * as z from 'zod'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { verifyAttestation } from '#shared/domains/attestation/attest'
import type { AttestationCtx } from '#shared/domains/attestation/method'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { open } from '#shared/platform/http/access'
import { json, routeFor } from '#shared/platform/http/route'

const route = routeFor<RequestCtx & AttestationCtx>()
export const attestRoute = route({
  id: 'test.attest',
  on: 'POST /test/attest',
  summary: 'Attest.',
  access: open('evidence is the credential', { class: 'credential' }),
  body: z.strictObject({ tenant: z.uuid(), attestor: z.uuid(), evidence: z.string().max(20_000), jkt: z.string(), fail: z.boolean().default(false) }),
  reply: json(200, z.object({ selectors: z.array(z.string()), entry_id: z.string().nullable() })),
  errors: ['attestation_failed', 'conflict'],
  emits: ['workload.attested'],
  handle: async ({ ctx, body }) => {
    const t = forTenant(ctx.db, asTenantId(body.tenant))
    const { attested, use } = await verifyAttestation(ctx, t, { attestorId: body.attestor, evidence: body.evidence, jkt: body.jkt })
    return atomically(t, async (tx) => {
      await use(tx)
      if (body.fail) throw new AppError('conflict')
      return { selectors: [...attested.selectors], entry_id: attested.entryId ?? null }
    })
  },
})
