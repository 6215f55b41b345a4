// The metadata that a client may register without an administrator. Such a client only gets grants that a person consents to each time. Pure.
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
const GRANTS: readonly string[] = ['authorization_code', 'refresh_token', DEVICE_CODE]
/** CIBA needs a client that an administrator registered. */
const GRANTS_WITH_TOKEN: readonly string[] = [...GRANTS, CIBA]
const MAX_NAME_LENGTH = 100
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

const refuseField = (field: string, why: string): never => {
  throw new AppError('invalid_client_metadata', `${field}: ${why}`, { field: `body.${field}` })
}

/** OpenID Connect Registration section 2: a web application has https redirect URIs on a public host; a native one may use loopback addresses and its own scheme. */
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
  if (grants.every((grant) => grant === 'refresh_token')) refuseField('grant_types', 'none of these is given to a client that registers itself')
  if (responses !== undefined && grants.includes('authorization_code') && !responses.includes('code'))
    refuseField('response_types', 'must contain code')
  return grants
}

/** @throws AppError invalid_client_metadata */
const methodIn = ({ token_endpoint_auth_method: requested = 'client_secret_basic', jwks, jwks_uri: jwksUri }: SubmittedMetadata): Method => {
  const method = CLIENT_AUTH_METHODS.find((known) => known === requested)
  if (method === undefined) return refuseField('token_endpoint_auth_method', 'is not offered')
  if (jwks !== undefined && jwksUri !== undefined) refuseField('jwks_uri', 'and jwks are not used together')
  if (method === 'private_key_jwt' && jwks === undefined && jwksUri === undefined) refuseField('jwks_uri', 'private_key_jwt needs jwks or jwks_uri')
  return method
}

/** @throws AppError invalid_client_metadata */
const requireValidUris = (ctx: Pick<Ctx, 'config'>, submitted: SubmittedMetadata): void => {
  for (const name of ['jwks_uri', 'backchannel_logout_uri'] as const) {
    const uri = submitted[name]
    const isRefused = uri !== undefined && typeof checkOutboundUrl(uri, { loopback: ctx.config.OUTBOUND_LOOPBACK === 'on' }) === 'string'
    if (isRefused) refuseField(name, 'must be https, with a public host name and a usual port')
  }
  const at = submitted.post_logout_redirect_uris?.findIndex((uri) => !isRedirectUri(uri)) ?? -1
  if (at >= 0) refuseField('post_logout_redirect_uris', 'must be https, http on the loopback interface, or a scheme with a dot')
  if (submitted.scope !== undefined && !SCOPES.test(submitted.scope)) refuseField('scope', 'must be scopes of RFC 6749')
}

/** Displayed on the consent page and in lists: only https URLs are stored. */
const clientUriIn = ({ client_uri: uri }: SubmittedMetadata): string | null =>
  uri !== undefined && URL.canParse(uri) && new URL(uri).protocol === 'https:' && uri.length <= 2000 ? uri : null

/**
 * The client that the submitted metadata describes.
 * @throws AppError invalid_redirect_uri, invalid_client_metadata
 */
export const validateMetadata = (
  ctx: Pick<Ctx, 'config'>,
  submitted: SubmittedMetadata,
  withToken: boolean,
): ClientIdentityChange & { readonly name: string } => {
  const grantTypes = grantsIn(submitted, withToken ? GRANTS_WITH_TOKEN : GRANTS)
  const method = methodIn(submitted)
  requireValidUris(ctx, submitted)
  return {
    name: plainText(submitted.client_name ?? '', MAX_NAME_LENGTH) ?? 'Unnamed client',
    clientType: 'application',
    isPublic: method === 'none',
    grantTypes,
    redirectUris: redirectsIn(submitted, grantTypes),
    // A client that names no method may present its secret by either method.
    tokenEndpointAuthMethod: submitted.token_endpoint_auth_method === undefined ? null : method,
    jwks: submitted.jwks ?? null,
    jwksUri: submitted.jwks_uri ?? null,
    clientUri: clientUriIn(submitted),
    allowedScopes: submitted.scope === undefined ? null : [...new Set(submitted.scope.split(' '))],
    postLogoutRedirectUris: [...new Set(submitted.post_logout_redirect_uris ?? [])],
    backchannelLogoutUri: submitted.backchannel_logout_uri ?? null,
    backchannelLogoutSessionRequired: submitted.backchannel_logout_session_required ?? false,
    dpopBound: submitted.dpop_bound_access_tokens ?? false,
    responseModes: RESPONSE_MODES.filter((mode) => submitted.response_modes?.includes(mode) === true),
    requiresPar: submitted.require_pushed_authorization_requests ?? false,
    softwareId: submitted.software_id ?? null,
    softwareVersion: submitted.software_version ?? null,
    platform: submitted.client_kind ?? null,
  }
}

type Bounds = Pick<Client, 'allowedScopes' | 'dpopBound' | 'requiresPar' | 'unusedUntil'>

/** An update by a client in use must not widen its limits, since an administrator may have set them. It may narrow them. */
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
