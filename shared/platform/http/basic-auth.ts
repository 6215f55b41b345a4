// HTTP Basic authentication of clients (RFC 7617, RFC 6749 section 2.3.1).

import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'

export type BasicCredentials = { readonly clientId: string; readonly secret: string }

const REALM = { 'WWW-Authenticate': 'Basic realm="authsec", charset="UTF-8"' }

/** One answer for every cause, so that it reveals nothing about clients. */
export const clientAuthenticationFailed = (): AppError => new AppError('client_authentication_failed', undefined, { headers: REALM })

/** RFC 6749 section 2.3.1 encodes both halves as application/x-www-form-urlencoded. */
const decoded = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

export const usesBasicAuth = (request: Pick<RequestInfo, 'header'>): boolean => /^basic(?: |$)/i.test(request.header('authorization') ?? '')

/** The credentials of a request, or the error that describes why there are none. */
export const basicCredentials = (request: Pick<RequestInfo, 'header'>): BasicCredentials | AppError => {
  const [, encoded = '', ...rest] = (request.header('authorization') ?? '').split(' ')
  const text = rest.length > 0 || !usesBasicAuth(request) ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const at = text.indexOf(':')
  if (at <= 0) return clientAuthenticationFailed()
  try {
    return { clientId: decoded(text.slice(0, at)).toLowerCase(), secret: decoded(text.slice(at + 1)) }
  } catch {
    return clientAuthenticationFailed()
  }
}
