// Public keys as clients and issuers register them (RFC 7517).
import * as z from 'zod'
import { weaknessOf } from '#shared/platform/crypto/public-key'

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

type Key = z.output<typeof PublicKey>
/** RFC 7517 sections 4.2 and 4.3: these keys sign, and nothing else. */
const isForSignatures = ({ use, key_ops: operations }: Key): boolean =>
  (use === undefined || use === 'sig') && (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))

const SigningKey = PublicKey.superRefine((key, { addIssue }) => {
  const weakness = isForSignatures(key) ? weaknessOf(key) : 'must be for signatures (use, key_ops)'
  if (weakness !== undefined) addIssue(weakness)
})
/** An assertion names its key by `kid`, so each name stands once (RFC 7517 section 4.5). */
const areDistinct = (keys: readonly Key[]): boolean => {
  const names = keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))
  return new Set(names).size === names.length
}
export const Jwks = z.strictObject({ keys: z.array(SigningKey).min(1).max(10).refine(areDistinct, 'must have different kids') })
