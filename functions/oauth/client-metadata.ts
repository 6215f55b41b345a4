// What a client may register without an administrator: never more than a program that each person consents to. Pure.
import type * as z from 'zod'
import type { Client, ClientIdentityChange } from '#db/store/clients'
import { isRedirectUri } from '#shared/domains/clients/redirect-uri'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import type { ClientMetadata } from '#shared/domains/oauth/client-metadata.schema'
import { CIBA, CLIENT_AUTH_METHODS, DEVICE_CODE, RESPONSE_MODES } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { checkOutboundUrl, isLocalHost } from '#shared/platform/fetch/outbound-url'
import type { Ctx } from './group.ts'

export type SubmittedMetadata = z.output<typeof ClientMetadata>
type Method = (typeof CLIENT_AUTH_METHODS)[number]

/** Grants in which a person decides every time. */
const FOR_ALL: readonly string[] = ['authorization_code', 'refresh_token', DEVICE_CODE]
/** CIBA needs a client that an administrator registered. */
const WITH_TOKEN: readonly string[] = [...FOR_ALL, CIBA]
const MOST_NAME = 100
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

const refuse = (field: string, why: string): never => {
  throw new AppError('invalid_client_metadata', `${field}: ${why}`, { field: `body.${field}` })
}

/** OpenID Connect Registration section 2: what runs in a browser is at an https address, what runs on a device is there or has a scheme of its own. */
const isOfKind = (uri: string, kind: SubmittedMetadata['application_type']): boolean => {
  const url = new URL(uri)
  if (kind === 'web') return url.protocol === 'https:' && !isLocalHost(url)
  return true
}

/** @throws AppError invalid_redirect_uri */
const redirectsIn = ({ redirect_uris: uris = [], application_type: kind }: SubmittedMetadata, grants: readonly string[]): string[] => {
  const at = uris.findIndex((uri) => !isRedirectUri(uri) || !isOfKind(uri, kind))
  if (at >= 0) {
    const field = `body.redirect_uris.${at}`
    throw new AppError('invalid_redirect_uri', `redirect_uris.${at}: must be https, http on the loopback interface, or a scheme with a dot`, {
      field,
    })
  }
  if (uris.length === 0 && grants.includes('authorization_code')) {
    throw new AppError('invalid_redirect_uri', 'redirect_uris is missing.', { field: 'body.redirect_uris' })
  }
  return [...new Set(uris)]
}

/** The registered part of the requested metadata (RFC 7591 section 3.2.1 lets a server choose). @throws AppError invalid_client_metadata */
const grantsIn = (
  { grant_types: requested = ['authorization_code'], response_types: responses }: SubmittedMetadata,
  allowed: readonly string[],
): string[] => {
  const grants = [...new Set(requested)].filter((grant) => allowed.includes(grant))
  if (grants.every((grant) => grant === 'refresh_token')) refuse('grant_types', 'none of these is given to a client that registers itself')
  if (responses !== undefined && grants.includes('authorization_code') && !responses.includes('code')) refuse('response_types', 'must contain code')
  return grants
}

/** @throws AppError invalid_client_metadata */
const methodIn = ({ token_endpoint_auth_method: requested = 'client_secret_basic', jwks, jwks_uri: jwksUri }: SubmittedMetadata): Method => {
  const method = CLIENT_AUTH_METHODS.find((known) => known === requested)
  if (method === undefined) return refuse('token_endpoint_auth_method', 'is not offered')
  if (jwks !== undefined && jwksUri !== undefined) refuse('jwks_uri', 'and jwks are not used together')
  if (method === 'private_key_jwt' && jwks === undefined && jwksUri === undefined) refuse('jwks_uri', 'private_key_jwt needs jwks or jwks_uri')
  return method
}

/** @throws AppError invalid_client_metadata */
const requireAddresses = (ctx: Pick<Ctx, 'config'>, said: SubmittedMetadata): void => {
  for (const name of ['jwks_uri', 'backchannel_logout_uri'] as const) {
    const uri = said[name]
    const isRefused = uri !== undefined && typeof checkOutboundUrl(uri, { loopback: ctx.config.OUTBOUND_LOOPBACK === 'on' }) === 'string'
    if (isRefused) refuse(name, 'must be https, with a public host name and a usual port')
  }
  const at = said.post_logout_redirect_uris?.findIndex((uri) => !isRedirectUri(uri)) ?? -1
  if (at >= 0) refuse('post_logout_redirect_uris', 'must be https, http on the loopback interface, or a scheme with a dot')
  if (said.scope !== undefined && !SCOPES.test(said.scope)) refuse('scope', 'must be scopes of RFC 6749')
}

/** Shown on the consent page and in lists: https, or not at all. */
const homeIn = ({ client_uri: uri }: SubmittedMetadata): string | null =>
  uri !== undefined && URL.canParse(uri) && new URL(uri).protocol === 'https:' && uri.length <= 2000 ? uri : null

/**
 * The client that such words describe.
 * @throws AppError invalid_redirect_uri, invalid_client_metadata
 */
export const validateMetadata = (
  ctx: Pick<Ctx, 'config'>,
  said: SubmittedMetadata,
  withToken: boolean,
): ClientIdentityChange & { readonly name: string } => {
  const grantTypes = grantsIn(said, withToken ? WITH_TOKEN : FOR_ALL)
  const method = methodIn(said)
  requireAddresses(ctx, said)
  return {
    name: plainText(said.client_name ?? '', MOST_NAME) ?? 'Unnamed client',
    clientType: 'application',
    isPublic: method === 'none',
    grantTypes,
    redirectUris: redirectsIn(said, grantTypes),
    // Who names none may show its secret either way.
    tokenEndpointAuthMethod: said.token_endpoint_auth_method === undefined ? null : method,
    jwks: said.jwks ?? null,
    jwksUri: said.jwks_uri ?? null,
    clientUri: homeIn(said),
    allowedScopes: said.scope === undefined ? null : [...new Set(said.scope.split(' '))],
    postLogoutRedirectUris: [...new Set(said.post_logout_redirect_uris ?? [])],
    backchannelLogoutUri: said.backchannel_logout_uri ?? null,
    backchannelLogoutSessionRequired: said.backchannel_logout_session_required ?? false,
    dpopBound: said.dpop_bound_access_tokens ?? false,
    responseModes: RESPONSE_MODES.filter((mode) => said.response_modes?.includes(mode) === true),
    requiresPar: said.require_pushed_authorization_requests ?? false,
    softwareId: said.software_id ?? null,
    softwareVersion: said.software_version ?? null,
    platform: said.client_kind ?? null,
  }
}

type Bounds = Pick<Client, 'allowedScopes' | 'dpopBound' | 'requiresPar' | 'unusedUntil'>

/** What a client in use says of itself anew loosens nothing: it may have been an administrator who bound it so. Binding itself more it may. */
export const requireNoWider = <W extends ClientIdentityChange>(before: Bounds, wanted: W): W => {
  if (before.unusedUntil !== null) return wanted
  const { allowedScopes: may } = before
  return {
    ...wanted,
    allowedScopes: may === null ? (wanted.allowedScopes ?? null) : (wanted.allowedScopes ?? may).filter((scope) => may.includes(scope)),
    dpopBound: before.dpopBound || wanted.dpopBound === true,
    requiresPar: before.requiresPar || wanted.requiresPar === true,
  }
}
