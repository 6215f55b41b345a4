// Time-based one-time passwords (RFC 6238): SHA-1, six digits, thirty seconds, one step to either side.

import type { Random } from '#shared/kernel/random'
import { constantTimeEqual } from '#shared/platform/crypto/equal'

const PERIOD_SECONDS = 30
/** One step earlier and later, for clock differences (section 5.2). */
const WINDOW = [0, -1, 1] as const
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 section 6, without padding, as authenticator apps expect. */
export const base32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((group) => BASE32[Number.parseInt(group.padEnd(5, '0'), 2)]).join('')
}

/** At least 160 bits (RFC 4226 section 4, R6). */
export const newSeed = (random: Random, bytes: 20 | 32): string => base32(random.bytes(bytes))

export const stepAt = (at: Date): number => Math.floor(at.getTime() / 1000 / PERIOD_SECONDS)

// Loaded with the first code, because most invocations need none.
const otp = () => import('otplib')

/** The code of a time step. */
export const codeOf = async (seed: string, step: number): Promise<string> =>
  (await otp()).generateSync({ secret: seed, strategy: 'hotp', counter: step, algorithm: 'sha1', digits: 6 })

/** The accepted step with this code; all are compared, in constant time. */
export const matchingStep = async (seed: string, code: string, at: Date): Promise<number | undefined> => {
  const now = stepAt(at)
  const candidates = await Promise.all(WINDOW.map(async (offset) => ({ step: now + offset, expected: await codeOf(seed, now + offset) })))
  const hits = candidates.filter(({ expected }) => constantTimeEqual(expected, code))
  return hits[0]?.step
}

/** The key URI for a QR code. */
export const keyUri = async (seed: string, issuer: string, account: string): Promise<string> =>
  (await otp()).generateURI({ secret: seed, issuer, label: account, algorithm: 'sha1', digits: 6, period: PERIOD_SECONDS })

/** A QR code of the URI as a PNG, in base64. The library is loaded on first use. */
export const qrCode = async (uri: string): Promise<string> => {
  const { toBuffer } = (await import('qrcode')).default
  // Slightly above 256, because the library rounds down.
  return (await toBuffer(uri, { width: 256.001, margin: 2, errorCorrectionLevel: 'M' })).toString('base64')
}
