// Public keys as clients and issuers register them (RFC 7517).
import * as z from 'zod'

const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Only public keys: a private key that is sent here is compromised. */
export const PublicKey = z
  .record(z.string(), z.unknown())
  .refine(({ kty }) => kty === 'EC' || kty === 'RSA' || kty === 'OKP', 'must be a public key')
  .refine((key) => !PRIVATE.some((name) => Object.hasOwn(key, name)), 'must not hold a private key')
  .meta({
    examples: [
      // RFC 7517 appendix A.1
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
        y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      },
    ],
  })
export const Jwks = z.strictObject({ keys: z.array(PublicKey).min(1).max(10) })
