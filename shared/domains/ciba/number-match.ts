// What asking and answering share: where a request is answered, and the two digits that tie one to the other.
import type { RequestCtx } from '#shared/domains/context'

/** Our own page on which a request is answered. */
export const APPROVE_PATH = '/approve'

export const numberHash = (ctx: Pick<RequestCtx, 'hash'>, requestId: string, number: string): Uint8Array => ctx.hash('ciba-number', requestId, number)
