// Metadata of the authorization server (RFC 8414, OpenID Connect Discovery) and of this server's own protected resource (RFC 9728). It lists only what
// exists, and is serialized once.
import { createHash } from 'node:crypto'
import {
  CLIENT_AUTH_METHODS,
  CLIENT_SIGNING_ALGS,
  ENDPOINTS,
  GRANT_TYPES,
  ID_JAG_PROFILE,
  IDENTITY_SCOPES,
  RESPONSE_MODES,
  TOKEN_TYPES,
} from '#shared/domains/oauth/supported'
import { ConstantResult } from '#shared/platform/http/route'
import { ACR } from '#shared/platform/tokens/acr'
import type { Ctx } from './group.ts'

type Config = Ctx['config']

const CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'sid']
const OF_PERSON = ['name', 'preferred_username', 'picture', 'email', 'email_verified']

const serverMetadata = ({ BASE_URL: issuer }: Config) => ({
  issuer,
  authorization_endpoint: `${issuer}${ENDPOINTS.authorization}`,
  token_endpoint: `${issuer}${ENDPOINTS.token}`,
  pushed_authorization_request_endpoint: `${issuer}${ENDPOINTS.par}`,
  introspection_endpoint: `${issuer}${ENDPOINTS.introspection}`,
  revocation_endpoint: `${issuer}${ENDPOINTS.revocation}`,
  device_authorization_endpoint: `${issuer}${ENDPOINTS.deviceAuthorization}`,
  backchannel_authentication_endpoint: `${issuer}${ENDPOINTS.backchannelAuthentication}`,
  backchannel_token_delivery_modes_supported: ['poll'],
  backchannel_user_code_parameter_supported: false,
  end_session_endpoint: `${issuer}${ENDPOINTS.endSession}`,
  backchannel_logout_supported: true,
  backchannel_logout_session_supported: true,
  ui_locales_supported: ['en', 'de'],
  registration_endpoint: `${issuer}${ENDPOINTS.registration}`,
  client_id_metadata_document_supported: true,
  userinfo_endpoint: `${issuer}${ENDPOINTS.userinfo}`,
  jwks_uri: `${issuer}${ENDPOINTS.jwks}`,
  scopes_supported: IDENTITY_SCOPES,
  response_types_supported: ['code'],
  response_modes_supported: RESPONSE_MODES,
  grant_types_supported: GRANT_TYPES,
  identity_chaining_requested_token_types_supported: [TOKEN_TYPES.idJag],
  authorization_grant_profiles_supported: [ID_JAG_PROFILE],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
  token_endpoint_auth_signing_alg_values_supported: CLIENT_SIGNING_ALGS,
  revocation_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
  revocation_endpoint_auth_signing_alg_values_supported: CLIENT_SIGNING_ALGS,
  introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
  dpop_signing_alg_values_supported: CLIENT_SIGNING_ALGS,
  authorization_response_iss_parameter_supported: true,
  require_pushed_authorization_requests: false,
  resource_indicators_supported: true,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  acr_values_supported: ACR,
  prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
  claims_supported: [...CLAIMS, ...OF_PERSON],
  claims_parameter_supported: false,
  request_parameter_supported: false,
  request_uri_parameter_supported: false,
})

const ownResource = ({ BASE_URL: issuer }: Config) => ({
  resource: issuer,
  authorization_servers: [issuer],
  jwks_uri: `${issuer}${ENDPOINTS.jwks}`,
  scopes_supported: IDENTITY_SCOPES,
  bearer_methods_supported: ['header'],
  dpop_signing_alg_values_supported: CLIENT_SIGNING_ALGS,
})

const documentOf = (value: unknown): ConstantResult => {
  const body = JSON.stringify(value)
  return new ConstantResult(body, `"${createHash('sha256').update(body).digest('base64url')}"`)
}

const prepared = (make: (config: Config) => unknown) => {
  const made = new WeakMap<Config, ConstantResult>()
  return async ({ config }: Pick<Ctx, 'config'>): Promise<ConstantResult> => {
    const known = made.get(config) ?? documentOf(make(config))
    made.set(config, known)
    return known
  }
}

export const serverDocument = prepared(serverMetadata)
export const ownResourceDocument = prepared(ownResource)
