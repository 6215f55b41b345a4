// Metrics of a fleet as a scraper takes them: megabytes of text that says nearly the same in every line, of which a function can hand over six.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RequestInfo } from '#shared/kernel/context'
import { HttpResult } from '#shared/platform/http/route'

/** Unless its weight is naught (RFC 9110 section 12.5.3). */
const takesGzip = (accepted: string): boolean =>
  accepted.split(',').some((each) => /^\s*gzip\s*(;|$)/i.test(each) && !/;\s*q\s*=\s*0(\.0*)?\s*$/i.test(each))

/** For whoever takes it so, packed to a twentieth. */
export const compressed = async (request: Pick<RequestInfo, 'header'>, text: string): Promise<HttpResult<string | ReadableStream<Uint8Array>>> => {
  const headers = { Vary: 'Accept-Encoding' }
  if (!takesGzip(request.header('accept-encoding') ?? '')) return new HttpResult<string | ReadableStream<Uint8Array>>(text, { headers })
  const bytes = await promisify(gzip)(text)
  return new HttpResult<string | ReadableStream<Uint8Array>>(new Blob([bytes]).stream() as ReadableStream<Uint8Array>, {
    headers: { ...headers, 'Content-Encoding': 'gzip', 'Content-Length': String(bytes.length) },
  })
}
