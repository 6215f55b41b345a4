// Wire shapes of issuing and revoking SVIDs.
import * as z from 'zod'

const MAX_SECONDS = 86_400
const seconds = z.number().int().min(10).max(MAX_SECONDS).optional().meta({ description: 'Lifetime; the registration entry may shorten it.' })
export const Audience = z
  .array(z.string().regex(/^[\x21-\x7e]{1,400}$/))
  .min(1)
  .max(10)
export const Csr = z
  .string()
  .min(1)
  .max(8192)
  .meta({ description: 'PKCS #10 as PEM. Only its key is used: P-256, P-384 or RSA of 2048 to 4096 bits.' })

export const JwtSvidRequest = z
  .strictObject({ audience: Audience, alg: z.enum(['RS256', 'ES256']).default('RS256'), seconds })
  .meta({ id: 'JwtSvidRequest' })
export const X509SvidRequest = z.strictObject({ csr: Csr, seconds }).meta({ id: 'X509SvidRequest' })
export const WitSvidRequest = z
  .strictObject({
    jwk: z.record(z.string().max(64), z.unknown()).meta({ description: 'The workload\u2019s public key (P-256, P-384 or Ed25519).' }),
    seconds,
  })
  .meta({ id: 'WitSvidRequest' })

export const TokenSvid = z.object({ id: z.string(), spiffe_id: z.string(), svid: z.string(), expires_at: z.iso.datetime() }).meta({ id: 'TokenSvid' })
export const X509Svid = z
  .object({
    id: z.string().meta({ description: 'The serial number in hexadecimal.' }),
    spiffe_id: z.string(),
    certificate: z.string().meta({ description: 'PEM.' }),
    bundle: z.string().meta({ description: 'PEM of the authorities of the trust domain.' }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'X509Svid' })

export const SvidPath = z.strictObject({ svid_id: z.string().min(1).max(64) })
