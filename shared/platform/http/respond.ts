// Builds the response from an answer, with the headers that every response has.
import type { HttpContext } from './env.ts'
import { type PreparedResponse, preparedHeaders } from './response-headers.ts'

const HSTS = 'max-age=31536000; includeSubDomains'

export const respond = (
  c: HttpContext,
  { status, body, headers: own, cookies = [], prepared = preparedHeaders(own) }: PreparedResponse,
): Response => {
  const headers: Record<string, string> = { ...prepared, ...c.get('cors'), 'x-request-id': c.get('requestId') }
  if (c.get('hsts')) headers['strict-transport-security'] = HSTS
  c.set('sentBytes', Number(headers['content-length'] ?? '0'))
  const lines = cookies.map((cookie): [string, string] => ['set-cookie', cookie])
  return new Response(body, { status, headers: lines.length === 0 ? headers : [...Object.entries(headers), ...lines] })
}
