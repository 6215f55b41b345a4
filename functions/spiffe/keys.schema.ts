// Wire shapes of a trust domain and its keys.
import * as z from 'zod'

export const KeyPath = z.strictObject({ kid: z.string().min(1).max(64) })

const WorkloadKeyOut = z.object({
  kid: z.string().meta({ description: 'Thumbprint of the key (RFC 7638).' }),
  use: z.enum(['x509', 'jwt', 'wit']),
  alg: z.enum(['ES256', 'RS256']),
  status: z.enum(['next', 'current', 'retired', 'revoked']),
  created_at: z.iso.datetime(),
  current_since: z.iso.datetime().nullable(),
  retires_at: z.iso.datetime().nullable(),
  not_after: z.iso.datetime().nullable().meta({ description: 'End of the certificate of a certificate authority.' }),
})

export const TrustDomainOut = z
  .object({
    trust_domain: z.string(),
    sequence: z.int(),
    issuer: z.url(),
    bundle_url: z.url(),
    keys: z.array(WorkloadKeyOut),
  })
  .meta({ id: 'TrustDomain' })
