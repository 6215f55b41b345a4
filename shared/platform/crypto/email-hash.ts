// What the directory of administrators calls an address: a keyed hash, never the address.
import type { KeyedHash } from './keyed-hash.ts'

export const emailHash = (ctx: { readonly hash: KeyedHash }, email: string): Uint8Array => ctx.hash('email', email)
