// Wire shapes of exchanging evidence for SVIDs.
import * as z from 'zod'
import { AttestorTrial } from './attestors.schema.ts'
import { JwtSvidRequest, TokenSvid, WitSvidRequest, X509Svid, X509SvidRequest } from './svids.schema.ts'

export const AttestPath = z.strictObject({ tenant: z.string().min(1).max(64) })

export const Attest = z
  .strictObject({
    attestor_id: z.uuid(),
    evidence: AttestorTrial.shape.evidence,
    x509: X509SvidRequest.optional(),
    jwt: JwtSvidRequest.optional(),
    wit: WitSvidRequest.optional(),
  })
  .refine(({ x509, jwt, wit }) => x509 !== undefined || jwt !== undefined || wit !== undefined, { message: 'x509, jwt or wit is required' })
  .meta({ id: 'Attest', description: 'Evidence, and the SVIDs that are wanted for it. Keys in `x509` and `wit` are the key of the DPoP proof.' })

export const AttestedSvids = z
  .object({
    spiffe_id: z.string(),
    entry_id: z.uuid(),
    x509: X509Svid.optional(),
    jwt: TokenSvid.optional(),
    wit: TokenSvid.optional(),
    bundle_url: z.url(),
  })
  .meta({ id: 'AttestedSvids' })
