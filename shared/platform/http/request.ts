// Reads a request's connection, headers and cookies before anything is trusted.
import type { RequestInfo } from '#shared/kernel/context'
import type { Route } from './route.ts'

/** Connection data from the server, which a header cannot provide. */
export type Peer = {
  /** Address of the connection's peer, as the server or the gateway reports it. */
  readonly address: string
  readonly secure: boolean
  /** Names and values of all headers in alternation, as sent. */
  readonly rawHeaders?: readonly string[]
}

export type Forwarded = { readonly address: string; readonly secure: boolean; readonly place: string }

const REQUEST_ID = /^[\w.:-]{1,64}$/

/** A request id that the caller sent is echoed when it is harmless. */
export const requestIdOf = (headers: Headers, newId: () => string): string => {
  const sent = headers.get('x-request-id')
  return sent !== null && REQUEST_ID.test(sent) ? sent : newId()
}

/** A cookie's value; undefined when it is absent or sent twice, since one of the two may be planted. */
export const cookieOf = (headers: Headers, name: string): string | undefined => {
  const values = (headers.get('cookie') ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
  return values.length === 1 ? values[0] : undefined
}

const pageOf = (request: Request, access: Route<never>['access']): string => {
  const { pathname, search } = new URL(request.url)
  const form = access.rule === 'page' || access.rule === 'browser' ? access.form : undefined
  return form !== undefined && request.method !== 'GET' ? `${form}${search}` : `${pathname}${search}`
}

export const requestInfo = (
  request: Request,
  forwarded: Forwarded,
  id: string,
  route: Pick<Route<never>, 'id' | 'emits' | 'access'>,
  originAllowed: boolean,
): RequestInfo => ({
  id,
  address: forwarded.address,
  secure: forwarded.secure,
  place: forwarded.place,
  userAgent: (request.headers.get('user-agent') ?? '').slice(0, 400),
  origin: request.headers.get('origin') ?? undefined,
  originAllowed,
  host: request.headers.get('host') ?? '',
  method: request.method,
  page: pageOf(request, route.access),
  route: route.id,
  emits: route.emits,
  cookie: (name) => cookieOf(request.headers, name),
  header: (name) => request.headers.get(name) ?? undefined,
})
