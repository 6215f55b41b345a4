// The only source of randomness.
import { randomFillSync } from 'node:crypto'
import type { Clock } from './clock.ts'

export type Random = {
  bytes(count: number): Uint8Array
  /** UUIDv7 (RFC 9562 section 5.7): sorts by creation time, and within one process by creation order. */
  id(): string
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const MOST_IN_A_MILLISECOND = 0xfff
/**
 * The largest step back of an ordinary clock correction. Ids pause until the clock has caught up: a reader that follows the audit log by id would
 * otherwise miss rows.
 */
const CLOCK_CORRECTION_MS = 30_000

/**
 * UUIDv7 with a counter in the twelve bits after the time (RFC 9562 section 6.2, method 1). The counter starts at a random value in the lower half; a
 * full counter borrows from the next millisecond.
 */
const uuidV7 = (clock: Clock, bytes: (count: number) => Uint8Array): (() => string) => {
  let [lastMs, count] = [0, 0]
  return () => {
    const now = clock.now().getTime()
    const entropy = bytes(10)
    // A clock that was set back further (as in tests) is followed.
    if (now > lastMs || lastMs - now > CLOCK_CORRECTION_MS)
      [lastMs, count] = [now, (((entropy[0] ?? 0) << 8) | (entropy[1] ?? 0)) & (MOST_IN_A_MILLISECOND >> 1)]
    else if (count < MOST_IN_A_MILLISECOND) count += 1
    else [lastMs, count] = [lastMs + 1, 0]
    const time = lastMs.toString(16).padStart(12, '0')
    const [version, variant] = [0x7000 | count, 0x80 | ((entropy[2] ?? 0) & 0x3f)]
    const rest = hex(entropy.subarray(3))
    return `${time.slice(0, 8)}-${time.slice(8)}-${version.toString(16)}-${variant.toString(16)}${rest.slice(0, 2)}-${rest.slice(2)}`
  }
}

/** The least UUIDv7 of a moment: a bound between earlier and later ids. */
export const lowestIdAt = (at: Date): string => {
  // UUIDv7 cannot express times before 1970.
  const h = Math.max(0, at.getTime()).toString(16).padStart(12, '0')
  return `${h.slice(0, 8)}-${h.slice(8)}-7000-8000-000000000000`
}

export const systemRandom = (clock: Clock): Random => {
  const bytes = (count: number): Uint8Array => randomFillSync(new Uint8Array(count))
  return { bytes, id: uuidV7(clock, buffered(bytes)) }
}

const BLOCK_BYTES = 4096
/** Fetches the randomness of ids in blocks: a system call per id would dominate its cost, and ids are not secrets. */
const buffered = (bytes: (count: number) => Uint8Array): ((count: number) => Uint8Array) => {
  let [block, used] = [new Uint8Array(0), 0]
  return (count) => {
    if (used + count > block.length) [block, used] = [new Uint8Array(bytes(BLOCK_BYTES)), 0]
    used += count
    return block.subarray(used - count, used)
  }
}

/** The same sequence for the same seed. For tests only; not a source of secrets. */
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

/** 256 bits as 43 base64url characters: an unguessable handle. */
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
