// Redirect URIs: a response is only sent to a URI that the client registered. Pure.
import type { OauthClient } from '#db/store/oauth-clients'
import { MCP_CALLBACK, type ResponseMode } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'

const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\]|localhost)$/

const parsed = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)
export const isLoopback = (uri: string): boolean => {
  const url = parsed(uri)
  return url?.protocol === 'http:' && LOOPBACK.test(url.hostname)
}

/**
 * Compares as text. On the loopback interface an application may listen on any port (RFC 8252 section 7.3), so there only the port may differ.
 */
const isRegistered = (registered: string, requested: string): boolean => {
  if (registered === requested) return true
  if (!isLoopback(registered) || !isLoopback(requested)) return false
  const withoutPort = (text: string): string => text.replace(/^(http:\/\/(?:\[::1\]|[^/:?#@\\]+)):\d{1,5}(?=[/?#]|$)/, '$1')
  return withoutPort(registered) === withoutPort(requested) && !requested.includes('#')
}

/** @throws AppError invalid_request, which must not be reported to that URI */
export const registeredRedirectUri = ({ redirectUris }: Pick<OauthClient, 'redirectUris'>, requested: string | undefined): string => {
  const [only, ...more] = redirectUris
  if (requested === undefined && only !== undefined && more.length === 0) return only
  if (requested === undefined) throw new AppError('invalid_request', 'redirect_uri is missing.')
  if (!redirectUris.some((registered) => isRegistered(registered, requested))) {
    throw new AppError('invalid_request', 'redirect_uri is not registered for this client.')
  }
  return requested
}

type Config = { readonly BASE_URL: string }
/** Every client may use our own callback of MCP sessions: a code sent there only authenticates the session of its state. */
export const isOwnCallback = ({ BASE_URL }: Config, uri: string | undefined): boolean => uri === `${BASE_URL}${MCP_CALLBACK}`

/** @throws AppError invalid_request, which must not be reported to that URI */
export const redirectUriFor = (config: Config, client: Pick<OauthClient, 'redirectUris'>, requested: string | undefined): string =>
  requested !== undefined && isOwnCallback(config, requested) ? requested : registeredRedirectUri(client, requested)

/**
 * Anyone can register a client, so such a redirect URI may point anywhere on the web: redirecting there before the person signed in or decided would make this
 * service an open redirector (RFC 9700 section 4.11.2).
 */
export const isUnvettedWebAddress = ({ registeredBy }: Pick<OauthClient, 'registeredBy'>, uri: string): boolean =>
  registeredBy !== 'administrator' && !isLoopback(uri) && /^https?:/i.test(uri)

/** Whether the client registered that mode. A form can only be posted to an http or https URI. */
export const mayAnswerBy = ({ responseModes }: Pick<OauthClient, 'responseModes'>, redirectUri: string, mode: string): mode is ResponseMode =>
  mode === 'query' || (responseModes.includes(mode) && (mode !== 'form_post' || /^https?:/i.test(redirectUri)))

type Answer = Readonly<Record<string, string>>
/** The redirect URI with the response in its query (RFC 6749 section 4.1.2) or its fragment. */
export const authorizationResponseUrl = (redirectUri: string, answer: Answer, mode: 'query' | 'fragment'): string => {
  const url = new URL(redirectUri)
  if (mode === 'fragment') url.hash = new URLSearchParams(answer).toString()
  else for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  return url.href
}
