// Where a client may have people sent back to.
import { AppError } from '#shared/kernel/errors'
import { isLocalHost } from '#shared/platform/fetch/outbound-url'

/** Schemes that run or show what they are given. */
const UNSAFE = /^(?:javascript|data|vbscript|blob|file|about|view-source|mailto|tel):$/

/**
 * https; http on the loopback interface; or a scheme of an application's own, which has a dot in it (RFC 8252 section 7.1). In the spelling that a parser
 * writes, so that no two read it differently.
 */
export const isRedirectUri = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.includes('#') || text.includes('*') || url.username !== '' || url.password !== '') return false
  if (UNSAFE.test(url.protocol) || !/^[\x21-\x7e]+$/.test(text)) return false
  const isTyped = url.href === text || url.href === `${text}/`
  if (url.protocol === 'https:') return isTyped
  if (url.protocol === 'http:') return isTyped && isLocalHost(url)
  return url.protocol.includes('.')
}

/** @throws AppError invalid_request */
export const requireRedirects = (field: string, uris: readonly string[] | undefined): void => {
  const at = uris?.findIndex((uri) => !isRedirectUri(uri)) ?? -1
  if (at >= 0)
    throw new AppError('invalid_request', `body.${field}.${at}: must be https, http on the loopback interface, or a scheme with a dot`, {
      field: `body.${field}.${at}`,
    })
}
