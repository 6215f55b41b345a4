// The interface of both argon2id engines (RFC 9106): raw bytes in and out. Only this file reads and writes PHC strings, so that the engines cannot
// differ in them.

/** `memoryKib` and `passes` are the m and t of RFC 9106 section 3.1, `lanes` is p. */
export type Argon2Cost = { readonly memoryKib: number; readonly passes: number; readonly lanes: number }

export type Argon2Engine = {
  readonly name: 'native' | 'wasm'
  /** argon2id version 0x13 of the password's UTF-8 bytes. */
  derive(password: string, salt: Uint8Array, cost: Argon2Cost, length: number): Promise<Uint8Array>
}

export type PhcString = { readonly cost: Argon2Cost; readonly salt: Uint8Array; readonly digest: Uint8Array }

/** OWASP Password Storage Cheat Sheet: m=19456 KiB, t=2, p=1. */
export const ARGON2_COST: Argon2Cost = { memoryKib: 19_456, passes: 2, lanes: 1 }
export const SALT_BYTES = 16
export const DIGEST_BYTES = 32

// A stored hash determines the memory of a sign-in, so imported hashes are bounded: m=4294967295 would kill the process.
const MOST_MEMORY_KIB = 262_144
const MOST_WORK_KIB = 1_048_576

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '')

export const formatPhc = ({ cost, salt, digest }: PhcString): string =>
  `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}$${base64(salt)}$${base64(digest)}`

/** Undefined for anything but argon2id version 0x13 within bounds: 8 to 64 bytes of salt, 16 to 64 of digest, at most 256 MiB. */
export const parsePhc = (text: string): PhcString | undefined => {
  const match = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(text)
  if (match === null) return undefined
  const [memoryKib = 0, passes = 0, lanes = 0] = match.slice(1, 4).map(Number)
  if (lanes < 1 || passes < 1 || memoryKib < 8 * lanes || memoryKib > MOST_MEMORY_KIB || memoryKib * passes > MOST_WORK_KIB) return undefined
  const [salt, digest] = [Buffer.from(match[4] ?? '', 'base64'), Buffer.from(match[5] ?? '', 'base64')]
  return { cost: { memoryKib, passes, lanes }, salt, digest }
}

/** Whether any parameter is below our current choice. */
export const isWeakerThanDefault = ({ cost, salt, digest }: PhcString): boolean =>
  cost.memoryKib < ARGON2_COST.memoryKib || cost.passes < ARGON2_COST.passes || salt.length < SALT_BYTES || digest.length < DIGEST_BYTES
