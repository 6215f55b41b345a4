// The only HTTP client for URLs that tenants configured. The resolved address is checked when the connection is made, so a name cannot resolve
// differently afterwards. Redirects, keep-alive, decompression and unbounded reads are disabled.
import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isLoopback, isPublicAddress } from './addresses.ts'
import { checkOutboundUrl } from './outbound-url.ts'

/** Returns all addresses of a host; throws when it has none. */
export type AddressResolver = { readonly resolve: (host: string) => Promise<readonly string[]> }

export const systemAddressResolver: AddressResolver = {
  resolve: async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address),
}

export type FetchFailureReason = 'url_refused' | 'no_public_address' | 'redirect' | 'timeout' | 'too_large' | 'connection'

/**
 * Why there is no response, never the other side's text. `no_public_address` covers both a name without addresses and one with internal addresses, so
 * that a tenant cannot learn which internal names exist.
 */
export class FetchFailure extends Error {
  readonly reason: FetchFailureReason
  constructor(reason: FetchFailureReason, cause?: unknown) {
    super(reason, { cause })
    this.name = 'FetchFailure'
    this.reason = reason
  }
}

export type OutboundRequest = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** The only certificate authorities of this request, in PEM, in place of the system's. */
  readonly ca?: string
}
export type OutboundResponse = {
  readonly status: number
  readonly body: Uint8Array
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined
}

/**
 * Sends a request once.
 * @throws FetchFailure
 */
export type Outbound = {
  send(call: OutboundRequest): Promise<OutboundResponse>
  /** Whether http, any port and loopback hosts are allowed (development). */
  readonly loopback: boolean
}

export type GuardOptions = {
  readonly resolver: AddressResolver
  /** OUTBOUND_LOOPBACK; refused in production. */
  readonly loopback: boolean
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** Certificate authorities in addition to the system's. */
  readonly ca?: string
}

const TIMEOUT_MS = 10_000
const MAX_BYTES = 1024 * 1024

type AddressCheck = (address: string) => boolean

/** Resolves and checks at connection time. One refused address refuses the host: an honest name has no private addresses among public ones. */
const checkedLookup = (resolver: AddressResolver, mayReach: AddressCheck): LookupFunction =>
  ((host, options, done) => {
    const answer = async (): Promise<readonly LookupAddress[]> => {
      const addresses = await resolver.resolve(host).catch((cause: unknown) => {
        throw new FetchFailure('no_public_address', cause)
      })
      if (addresses.length === 0 || !addresses.every(mayReach)) throw new FetchFailure('no_public_address')
      return addresses.map((address) => ({ address, family: isIP(address) }))
    }
    answer().then(
      (all) => (options.all === true ? done(null, [...all]) : done(null, all[0]?.address ?? '', all[0]?.family)),
      (error: NodeJS.ErrnoException) => done(error, ''),
    )
  }) satisfies LookupFunction

const failureOf = (error: unknown): FetchFailure => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e instanceof FetchFailure) return e
  return new FetchFailure('connection', error)
}

const read = (response: IncomingMessage, maxBytes: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) return void chunks.push(chunk)
      reject(new FetchFailure('too_large'))
      response.destroy()
    })
    response.on('end', () => resolve(Buffer.concat(chunks)))
    response.on('error', reject)
  })

/** Checks the connected address again. */
const checkSocket = (request: ClientRequest, mayReach: AddressCheck): void => {
  request.on('socket', (socket) =>
    socket.once('connect', () => {
      if (!mayReach(socket.remoteAddress ?? '')) request.destroy(new FetchFailure('no_public_address'))
    }),
  )
}

const optionsOf = (call: OutboundRequest, url: URL, options: GuardOptions, mayReach: AddressCheck): RequestOptions & { ca?: string } => ({
  method: call.method,
  headers: { 'user-agent': 'authsec-webhooks', 'accept-encoding': 'identity', ...call.headers, host: url.host, connection: 'close' },
  agent: false,
  lookup: checkedLookup(options.resolver, mayReach),
  ...((call.ca ?? options.ca) === undefined ? {} : { ca: call.ca ?? options.ca }),
})

const exchange = async (call: OutboundRequest, url: URL, options: GuardOptions, signal: AbortSignal): Promise<OutboundResponse> => {
  const mayReach: AddressCheck = (address) => isPublicAddress(address) || (options.loopback && isLoopback(address))
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest
  const request = make(url, { ...optionsOf(call, url, options, mayReach), signal })
  checkSocket(request, mayReach)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    // A protocol switch (101) emits neither a response nor an error.
    request.on('close', () => reject(new FetchFailure('connection')))
    request.end(call.body)
  })
  const status = response.statusCode ?? 0
  if (status >= 300 && status < 400) {
    request.destroy()
    throw new FetchFailure('redirect')
  }
  const body = await read(response, options.maxBytes ?? MAX_BYTES)
  return {
    status,
    body,
    header: (name) => {
      const value = response.headers[name]
      return typeof value === 'string' ? value : undefined
    },
  }
}

/** Limits of ten seconds and one mebibyte cover resolving, connecting, sending and reading. */
export const guardedFetch = (options: GuardOptions): Outbound => ({
  loopback: options.loopback,
  send: async (call) => {
    const url = checkOutboundUrl(call.url, options)
    if (typeof url === 'string') throw new FetchFailure('url_refused')
    const overdue = new AbortController()
    const timer = setTimeout(() => overdue.abort(), options.timeoutMs ?? TIMEOUT_MS)
    try {
      return await exchange(call, url, options, overdue.signal)
    } catch (error) {
      throw overdue.signal.aborted ? new FetchFailure('timeout', error) : failureOf(error)
    } finally {
      clearTimeout(timer)
    }
  },
})
