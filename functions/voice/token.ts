// Voice session tokens: 64 bytes in lower-case base32 without padding (RFC 4648 section 6): the tenant's id, then 384 random bits.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const TENANT_BYTES = 16
const RANDOM_BYTES = 48
const SHAPE = /^[a-z2-7]{103}$/

const base32 = (bytes: Uint8Array): string => {
  let [text, value, bits] = ['', 0, 0]
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(value >> (bits - 5)) & 31]
  }
  return bits === 0 ? text : text + ALPHABET[(value << (5 - bits)) & 31]
}

const fromBase32 = (text: string): Uint8Array => {
  const bytes: number[] = []
  let [value, bits] = [0, 0]
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((value >> bits) & 255)
    }
  }
  return Uint8Array.from(bytes)
}

export const newVoiceToken = (ctx: Pick<BaseCtx, 'random'>, tenantId: TenantId): string =>
  base32(Buffer.concat([Buffer.from(tenantId.replaceAll('-', ''), 'hex'), ctx.random.bytes(RANDOM_BYTES)]))

export const voiceTokenHash = (ctx: Pick<BaseCtx, 'hash'>, token: string): Uint8Array => ctx.hash('voice-token', token)

/** The tenant in a token; undefined if the token is malformed. */
export const tenantOfVoiceToken = (token: string): TenantId | undefined => {
  if (!SHAPE.test(token)) return undefined
  const hex = Buffer.from(fromBase32(token).subarray(0, TENANT_BYTES)).toString('hex')
  return asTenantId(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`)
}
