// Shared by the request and the answer: the page for answers, and the hash of the two matching digits.
import type { RequestCtx } from '#shared/domains/context'

/** Our own page for answering a request. */
export const APPROVE_PATH = '/approve'

export const numberHash = (ctx: Pick<RequestCtx, 'hash'>, requestId: string, number: string): Uint8Array => ctx.hash('ciba-number', requestId, number)
