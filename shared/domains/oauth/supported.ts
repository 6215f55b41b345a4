// The features of the authorization server. The endpoints use these lists and discovery publishes them, so both always agree.

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
export const CIBA = 'urn:openid:params:grant-type:ciba'
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_CODE, CIBA, TOKEN_EXCHANGE, JWT_BEARER] as const
export type GrantType = (typeof GRANT_TYPES)[number]

/** RFC 7591 section 2, `token_endpoint_auth_method`. */
export const CLIENT_AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

/** How an answer of the authorization endpoint reaches the client. Every client may ask for `query`, and for another mode where it is registered for it. */
export const RESPONSE_MODES = ['query', 'fragment', 'form_post'] as const
export type ResponseMode = (typeof RESPONSE_MODES)[number]

/** Algorithms of client assertions and of DPoP proofs: only asymmetric ones. */
export const CLIENT_SIGNING_ALGS = ['ES256', 'EdDSA', 'PS256', 'RS256'] as const

/** Scopes about the person, which belong to no resource server (OpenID Connect Core sections 5.4 and 11). */
export const IDENTITY_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const
export const isIdentityScope = (scope: string): boolean => (IDENTITY_SCOPES as readonly string[]).includes(scope)

export const ENDPOINTS = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  par: '/oauth/par',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  userinfo: '/oauth/userinfo',
  jwks: '/.well-known/jwks.json',
  deviceAuthorization: '/oauth/device_authorization',
  backchannelAuthentication: '/oauth/bc-authorize',
  endSession: '/oauth/logout',
  registration: '/oauth/register',
} as const

/** The path to which the browser returns after signing in for an MCP session (`mcp-auth`). */
export const MCP_CALLBACK = '/sdkmgr/mcp-auth/callback'
/** RFC 8693 section 3, and draft-ietf-oauth-identity-assertion-authz-grant. */
export const TOKEN_TYPES = {
  access: 'urn:ietf:params:oauth:token-type:access_token',
  id: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
} as const

/** Metadata for clients that redeem identity assertions here: draft-ietf-oauth-identity-assertion-authz-grant, authorization server metadata. */
export const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

/** RFC 9126 section 2.2 */
export const REQUEST_URI = 'urn:ietf:params:oauth:request_uri:'

/** The longest chain of actors for the same person or client, unless the tenant sets another. */
export const DEFAULT_DEPTH = 5
