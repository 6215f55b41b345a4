// Compresses metrics: those of a fleet can exceed the 6 MB that a function may answer, and repetitive text shrinks to a twentieth.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RequestInfo } from '#shared/kernel/context'
import { HttpResult } from '#shared/platform/http/route'

/** A weight of 0 means not acceptable (RFC 9110 section 12.5.3). */
const acceptsGzip = (accepted: string): boolean =>
  accepted.split(',').some((each) => /^\s*gzip\s*(;|$)/i.test(each) && !/;\s*q\s*=\s*0(\.0*)?\s*$/i.test(each))

/** The text, gzipped when the request accepts gzip. */
export const compressed = async (request: Pick<RequestInfo, 'header'>, text: string): Promise<HttpResult<string | ReadableStream<Uint8Array>>> => {
  const headers = { Vary: 'Accept-Encoding' }
  if (!acceptsGzip(request.header('accept-encoding') ?? '')) return new HttpResult<string | ReadableStream<Uint8Array>>(text, { headers })
  const bytes = await promisify(gzip)(text)
  return new HttpResult<string | ReadableStream<Uint8Array>>(new Blob([bytes]).stream() as ReadableStream<Uint8Array>, {
    headers: { ...headers, 'Content-Encoding': 'gzip', 'Content-Length': String(bytes.length) },
  })
}
