// Resource indicators (RFC 8707) and scopes (RFC 6749 section 3.3) of a request. Pure.
import type { OauthClient, RequestedResource } from '#db/store/oauth-clients'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'

const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

/**
 * A server without a path is registered as its origin. URL parsers add a slash, and RFC 3986 section 6.2.3 makes both equivalent.
 */
const canonicalOrigin = (resource: string): string => (/^https?:\/\/[^/?#]+\/$/.test(resource) ? resource.slice(0, -1) : resource)

/** RFC 8707 section 2: a request may repeat the parameter. Different values are joined by spaces, which `requireOneResource` refuses. */
export const canonicalResource = (resource: string): string => [...new Set(resource.split(' ').map(canonicalOrigin))].join(' ')

/** A token is for one resource server. @throws AppError invalid_target */
export const requireOneResource = (resource: string | undefined): void => {
  if (resource?.includes(' ')) throw new AppError('invalid_target', 'A token is for one resource server: name one.')
}

/** The scopes without duplicates. @throws AppError invalid_scope */
export const parseScopes = (text: string | undefined): readonly string[] => {
  if (text === undefined) return []
  if (!SCOPES.test(text)) throw new AppError('invalid_scope', 'scope is malformed.')
  return [...new Set(text.split(' '))]
}

/**
 * The resource server of the tokens; undefined where only identity scopes are requested.
 * @throws AppError invalid_target
 */
export const resourceFor = (client: OauthClient, requested: string | undefined, scopes: readonly string[]): RequestedResource | undefined => {
  requireOneResource(requested)
  const { resource } = client
  if (requested !== undefined && resource === undefined) throw new AppError('invalid_target')
  if (requested !== undefined || resource?.candidates === 1) return resource
  const isAboutIdentity = scopes.every(isIdentityScope)
  if (resource !== undefined && !isAboutIdentity) throw new AppError('invalid_target', 'The client may reach several resource servers: name one.')
  return undefined
}

/** Whether the client may request the scope. */
export const mayRequest = ({ allowedScopes }: OauthClient, scope: string): boolean =>
  allowedScopes === undefined || isIdentityScope(scope) || allowedScopes.includes(scope)

/**
 * Every scope must exist at the resource server and be allowed for the client.
 * @throws AppError invalid_scope
 */
export const requireKnownScopes = (client: OauthClient, resource: RequestedResource | undefined, scopes: readonly string[]): void => {
  const known = new Set(resource?.scopes.map(({ name }) => name))
  const unknown = scopes.find((scope) => !isIdentityScope(scope) && !(known.has(scope) && mayRequest(client, scope)))
  if (unknown !== undefined) throw new AppError('invalid_scope', `The scope ${unknown.slice(0, 100)} is not offered to this client.`)
}

/** The scopes of a request that names none: all that the client may request. */
export const defaultScopes = (client: OauthClient, resource: RequestedResource | undefined): readonly string[] =>
  (resource?.scopes ?? []).map(({ name }) => name).filter((name) => mayRequest(client, name))
