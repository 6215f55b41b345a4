// Redirect URIs that a client may register.
import { AppError } from '#shared/kernel/errors'
import { isLocalHost } from '#shared/platform/fetch/outbound-url'

/** Schemes that execute or display their content. */
const UNSAFE = /^(?:javascript|data|vbscript|blob|file|about|view-source|mailto|tel):$/

/**
 * Allows https; http on the loopback interface; or a private-use scheme with a dot (RFC 8252 section 7.1). The text must equal its parsed form, so that no two
 * parsers read it differently.
 */
export const isRedirectUri = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.includes('#') || text.includes('*') || url.username !== '' || url.password !== '') return false
  if (UNSAFE.test(url.protocol) || !/^[\x21-\x7e]+$/.test(text)) return false
  const isCanonical = url.href === text || url.href === `${text}/`
  if (url.protocol === 'https:') return isCanonical
  if (url.protocol === 'http:') return isCanonical && isLocalHost(url)
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
