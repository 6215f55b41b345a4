// The only source of randomness.
import { randomFillSync } from 'node:crypto'
import type { Clock } from './clock.ts'

export type Random = {
  bytes(count: number): Uint8Array
  /** UUIDv7 (RFC 9562 section 5.7): sorts by the time it was made, and within one process by the order. */
  id(): string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const MOST_IN_A_MILLISECOND = 0xfff
/** A clock that is put right goes back by less. Ids stand still until it has caught up, or who follows the record would have gone past them. */
const PUT_RIGHT_MS = 30_000

/**
 * UUIDv7 whose twelve bits after the time count within a millisecond (RFC 9562 section 6.2, method 1), beginning somewhere in the lower half: what one process
 * makes one after the other also sorts so. A full count borrows from the next millisecond.
 */
const uuidV7 = (clock: Clock, bytes: (count: number) => Uint8Array): (() => string) => {
  let [lastMs, count] = [0, 0]
  return () => {
    const now = clock.now().getTime()
    const entropy = bytes(10)
    // A clock that was set back far (tests do) is believed.
    if (now > lastMs || lastMs - now > PUT_RIGHT_MS)
      [lastMs, count] = [now, (((entropy[0] ?? 0) << 8) | (entropy[1] ?? 0)) & (MOST_IN_A_MILLISECOND >> 1)]
    else if (count < MOST_IN_A_MILLISECOND) count += 1
    else [lastMs, count] = [lastMs + 1, 0]
    const time = lastMs.toString(16).padStart(12, '0')
    const [version, variant] = [0x7000 | count, 0x80 | ((entropy[2] ?? 0) & 0x3f)]
    const rest = hex(entropy.subarray(3))
    return `${time.slice(0, 8)}-${time.slice(8)}-${version.toString(16)}-${variant.toString(16)}${rest.slice(0, 2)}-${rest.slice(2)}`
  }
}

/** The least UUIDv7 of a moment: a bound between what was made before it and what was not. */
export const lowestIdAt = (at: Date): string => {
  // Ids begin with 1970.
  const h = Math.max(0, at.getTime()).toString(16).padStart(12, '0')
  return `${h.slice(0, 8)}-${h.slice(8)}-7000-8000-000000000000`
}

export const systemRandom = (clock: Clock): Random => {
  const bytes = (count: number): Uint8Array => randomFillSync(new Uint8Array(count))
  return { bytes, id: uuidV7(clock, inAdvance(bytes)) }
}

const ADVANCE_BYTES = 4096
/** Randomness of ids, fetched many at once: ids are no secrets, and a fetch costs more than all else about one. */
const inAdvance = (bytes: (count: number) => Uint8Array): ((count: number) => Uint8Array) => {
  let [block, used] = [new Uint8Array(0), 0]
  return (count) => {
    if (used + count > block.length) [block, used] = [new Uint8Array(bytes(ADVANCE_BYTES)), 0]
    used += count
    return block.subarray(used - count, used)
  }
}

/** The same sequence for the same seed. For tests alone; not a source of secrets. */
export const seededRandom = (clock: Clock, seed: number): Random => {
  let state = seed >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 24
  }
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, next)
  return { bytes, id: uuidV7(clock, bytes) }
}

/** 256 bits as 43 base64url characters: a handle that nobody guesses. */
export const randomToken = (random: Random): string => Buffer.from(random.bytes(32)).toString('base64url')

/** `count` decimal digits, each equally likely (rejection sampling, no modulo bias). */
export const randomDigits = (random: Random, count: number): string => {
  let text = ''
  while (text.length < count) {
    for (const byte of random.bytes(count * 2)) {
      if (byte < 250 && text.length < count) text += String(byte % 10)
    }
  }
  return text
}
