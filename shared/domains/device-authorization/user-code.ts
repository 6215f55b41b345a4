// User codes (RFC 8628 section 6.1): eight characters of an alphabet without look-alikes, written XXXX-XXXX.
import type { Random } from '#shared/kernel/random'

/** A to Z without I, L and O; 2 to 9. */
export const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const LENGTH = 8
/** Larger bytes would make the first characters likelier than the last (248 = 8 × 31). */
const UNBIASED_BELOW = 256 - (256 % ALPHABET.length)

const formatCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** Each character is equally likely. */
export const newUserCode = (random: Pick<Random, 'bytes'>): string => {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of random.bytes(2 * LENGTH)) {
      if (byte < UNBIASED_BELOW && code.length < LENGTH) code += ALPHABET[byte % ALPHABET.length]
    }
  }
  return formatCode(code)
}

const CODE = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`)

/** The formatted code of a typed one: any case, with or without hyphens and spaces. Undefined when malformed. */
export const userCodeOf = (typed: string): string | undefined => {
  const code = typed.toUpperCase().replace(/[\s-]/g, '')
  return CODE.test(code) ? formatCode(code) : undefined
}
