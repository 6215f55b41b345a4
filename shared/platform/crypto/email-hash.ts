// The keyed hash by which the directory of administrators stores an address.
import type { KeyedHash } from './keyed-hash.ts'

export const emailHash = (ctx: { readonly hash: KeyedHash }, email: string): Uint8Array => ctx.hash('email', email)
