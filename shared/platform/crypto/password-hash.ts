// Hashes and verifies passwords: argon2id (m=19456 KiB, t=2, p=1); bcrypt is only verified.
import { timingSafeEqual } from 'node:crypto'
import { systemClock } from '#shared/kernel/clock'
import { type Random, systemRandom } from '#shared/kernel/random'
import { createSemaphore } from '#shared/kernel/semaphore'
import { ARGON2_COST, type Argon2Engine, DIGEST_BYTES, formatPhc, isWeakerThanDefault, type PhcString, parsePhc, SALT_BYTES } from './argon2.ts'

export type PasswordHash = {
  /** A PHC string. */
  hash(password: string): Promise<string>
  /**
   * Whether the password matches, and whether the hash should be renewed. Without a readable hash a dummy is computed, so that unknown and known
   * accounts take the same time. Every call computes exactly one hash.
   */
  verify(password: string, hash: string | undefined): Promise<{ readonly fits: boolean; readonly renew: boolean }>
  /** Number of computed hashes; tests prove equal cost with it. */
  readonly computed: () => number
}

export type PasswordHashOptions = {
  readonly engine: Argon2Engine
  /** Three by default: each takes 19 MiB and one of the four threads of Node's pool, which signatures need too. */
  readonly maxConcurrent?: number
  readonly maxWaiting?: number
  readonly random?: Pick<Random, 'bytes'>
}

// Costs above 14 take more than a second, do not occur in AuthSec, and would let an imported row occupy a core.
const BCRYPT = /^\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/

/** Whether a stored hash can be verified: argon2id, or bcrypt that is renewed after verification. */
export const isReadableHash = (hash: string): boolean => BCRYPT.test(hash) || parsePhc(hash) !== undefined

/**
 * Passwords are hashed in Unicode form NFC (NIST SP 800-63B-4 section 3.1.1.2), so that keyboards that compose a letter differently produce the same
 * password; NFKC would merge characters that people see as different. Imported bcrypt hashes were computed from the bytes as sent and are verified
 * without normalisation. bcrypt reads 72 bytes, and some implementations stop at a null: such passwords never match a bcrypt hash.
 * @throws AppError unavailable from both methods when too many hashes already wait
 */
export const passwordHash = ({
  engine,
  maxConcurrent = 3,
  maxWaiting = 1000,
  random = systemRandom(systemClock),
}: PasswordHashOptions): PasswordHash => {
  const limited = createSemaphore(maxConcurrent, maxWaiting)
  let dummy: PhcString | undefined
  const dummyOnce = (): PhcString => {
    dummy ??= { cost: ARGON2_COST, salt: random.bytes(SALT_BYTES), digest: random.bytes(DIGEST_BYTES) }
    return dummy
  }
  let computed = 0
  const count = <T>(work: () => Promise<T>): Promise<T> =>
    limited(() => {
      computed += 1
      return work()
    })
  const derive = (password: string, salt: Uint8Array, { cost, length }: { cost: PhcString['cost']; length: number }): Promise<Uint8Array> =>
    count(() => engine.derive(password.normalize('NFC'), salt, cost, length))

  const fitsPhc = async (password: string, { cost, salt, digest }: PhcString): Promise<boolean> =>
    timingSafeEqual(await derive(password, salt, { cost, length: digest.length }), digest)
  const fitsBcrypt = async (password: string, hash: string): Promise<boolean> => {
    // Only imported accounts have bcrypt hashes, so most functions never load it.
    const { compare, truncates } = await import('bcryptjs')
    const same = await count(() => compare(password, hash))
    return same && !truncates(password) && !password.includes('\0')
  }

  return {
    hash: async (password) => {
      const salt = random.bytes(SALT_BYTES)
      return formatPhc({ cost: ARGON2_COST, salt, digest: await derive(password, salt, { cost: ARGON2_COST, length: DIGEST_BYTES }) })
    },
    verify: async (password, hash) => {
      if (hash !== undefined && BCRYPT.test(hash)) {
        const fits = await fitsBcrypt(password, hash)
        return { fits, renew: fits }
      }
      const stored = hash === undefined ? undefined : parsePhc(hash)
      const same = await fitsPhc(password, stored ?? dummyOnce())
      const fits = same && stored !== undefined
      return { fits, renew: fits && isWeakerThanDefault(stored) }
    },
    computed: () => computed,
  }
}
