// The library's fetch through the outbound guard, which checks every address that a provider's metadata names when connecting.
import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import type { Clock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { documentCacheOf, readCached, storeCached } from './document-cache.ts'

const AGENT = 'authsec-federation'
const NO_BODY = new Set([204, 205, 304])

const bodyText = (body: CustomFetchOptions['body']): string | undefined => {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString()
  throw new Error('The library sends only forms and text.')
}

export const outboundFetch =
  (outbound: Outbound): CustomFetch =>
  async (url, { method, headers, body }) => {
    const sent = bodyText(body)
    const answer = await outbound.send({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: { ...headers, 'user-agent': AGENT },
      ...(sent === undefined ? {} : { body: sent }),
    })
    const type = answer.header('content-type')
    return new Response(NO_BODY.has(answer.status) ? null : Buffer.from(answer.body), {
      status: answer.status,
      headers: type === undefined ? {} : { 'content-type': type },
    })
  }

/** Like `outboundFetch`, with successful answers cached for minutes. */
export const fetchMetadata = (outbound: Outbound, clock: Clock): CustomFetch => {
  const fetchDirectly = outboundFetch(outbound)
  const { documents } = documentCacheOf(outbound)
  return async (url, options) => {
    const known = readCached(documents, url, clock)
    if (known !== undefined) return new Response(Buffer.from(known.body), { headers: { 'content-type': known.type } })
    const answer = await fetchDirectly(url, options)
    if (answer.status !== 200) return answer
    const value = { body: new Uint8Array(await answer.arrayBuffer()), type: answer.headers.get('content-type') ?? '' }
    storeCached(documents, url, value, clock)
    return new Response(Buffer.from(value.body), { headers: { 'content-type': value.type } })
  }
}
