// What the directory of administrators calls an address: a keyed hash, never the address.
import type { BaseCtx } from '#shared/domains/context'

export const emailHash = (ctx: Pick<BaseCtx, 'hash'>, email: string): Uint8Array => ctx.hash('email', email)
