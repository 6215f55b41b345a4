// The only source of randomness.
import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock } from './clock.ts'

export type Random = {
  bytes(count: number): Uint8Array
  /** UUIDv7 (RFC 9562 section 5.7): sorts by creation time, and within one process by creation order. */
  id(): string
}

/** How far a clock correction may set the clock back while ids keep their order, for readers that follow the audit log by id. */
const MAX_CORRECTION_MS = 30_000

/** UUIDv7 with a counter within the millisecond (RFC 9562 section 6.2, method 1), so that the ids of one process sort in the order they were made. */
const uuidV7 = (clock: Clock, bytes: (count: number) => Uint8Array): (() => string) => {
  let [msecs, seq] = [0, 0]
  return () => {
    const now = clock.now().getTime()
    const random = bytes(16)
    // A clock that is set back further starts over, as tests do.
    if (now > msecs || msecs - now > MAX_CORRECTION_MS) [msecs, seq] = [now, Buffer.from(random).readUInt32BE() >>> 1]
    else seq += 1
    return v7({ msecs, seq, random })
  }
}

/** The lowest UUIDv7 of a moment: ids made earlier sort before it. */
export const lowestIdAt = (at: Date): string => {
  // UUIDv7 counts from 1970.
  return v7({ msecs: Math.max(0, at.getTime()), seq: 0, random: new Uint8Array(16) })
}

export const systemRandom = (clock: Clock): Random => {
  const bytes = (count: number): Uint8Array => randomFillSync(new Uint8Array(count))
  return { bytes, id: uuidV7(clock, inAdvance(bytes)) }
}

const ADVANCE_BYTES = 4096
/** Buffers randomness for ids, which are not secret: a system call costs more than the rest of an id. */
const inAdvance = (bytes: (count: number) => Uint8Array): ((count: number) => Uint8Array) => {
  let [block, used] = [new Uint8Array(0), 0]
  return (count) => {
    if (used + count > block.length) [block, used] = [new Uint8Array(bytes(ADVANCE_BYTES)), 0]
    used += count
    return block.subarray(used - count, used)
  }
}

/** The same sequence for the same seed. For tests only: the output is predictable. */
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

/** 256 random bits as 43 base64url characters. */
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
