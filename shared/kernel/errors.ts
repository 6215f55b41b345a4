// Every error that a caller can see, declared once. Codes are API; titles are not.

export const ERRORS = {
  invalid_request: { status: 400, title: 'The request is malformed.' },
  invalid_json: { status: 400, title: 'The body is not JSON.' },
  unsupported_media_type: { status: 400, title: 'The body must be sent as application/json.' },
  payload_too_large: { status: 413, title: 'The body is too large.' },
  answer_too_large: { status: 413, title: 'The answer is larger than can be sent from here. Ask for less of it.' },
  unknown_host: { status: 421, title: 'This server does not answer for that host.' },
  headers_too_large: { status: 431, title: 'The request headers are too large.' },
  not_found: { status: 404, title: 'There is nothing here.' },
  method_not_allowed: { status: 405, title: 'This path does not answer that method.' },
  unauthorized: { status: 401, title: 'Authorization header required.' },
  invalid_token: { status: 401, title: 'The token is invalid, expired or revoked.' },
  client_authentication_failed: { status: 401, title: 'The client is unknown, not active, or the secret is wrong.' },
  forbidden: { status: 403, title: 'You may not do this.' },
  insufficient_scope: { status: 403, title: 'A permission is missing.' },
  tenant_mismatch: { status: 403, title: 'Access denied: tenant mismatch.' },
  insufficient_user_authentication: { status: 401, title: 'A more recent or stronger sign-in is needed.' },
  authentication_required: { status: 401, title: 'Authentication required.' },
  rate_limited: { status: 429, title: 'Rate limit exceeded.' },
  quota_exceeded: { status: 429, title: 'The quota of this tenant is used up.' },
  conflict: { status: 409, title: 'This is in conflict with what is there.' },
  timeout: { status: 408, title: 'Request timeout' },
  unavailable: { status: 503, title: 'A part that is needed is away. Try again shortly.' },
  internal: { status: 500, title: 'Internal server error' },
  not_implemented: { status: 501, title: 'Not offered by this server.' },

  // Sign-in
  invalid_credentials: { status: 401, title: 'Invalid credentials' },
  request_validation_failed: { status: 401, title: 'Request validation failed' },
  signature_unsupported: { status: 400, title: 'Signed requests are not supported; leave out "signature".' },
  password_reset_required: { status: 401, title: 'Password reset required' },
  temporary_password_expired: { status: 401, title: 'The temporary password has expired. Ask an administrator for a new one.' },
  email_not_verified: { status: 401, title: 'Confirm your e-mail address before you sign in.' },
  account_suspended: { status: 403, title: 'This organisation is suspended.' },
  mfa_verification_failed: { status: 401, title: 'MFA verification failed' },

  // Sign-up and recovery
  sign_up_closed: { status: 403, title: 'Sign-up is closed on this deployment.' },
  single_tenant: { status: 409, title: 'Single-tenant deployment: only one admin is allowed.' },
  tenant_domain_taken: { status: 409, title: 'Tenant domain already exists' },
  tenant_domain_invalid: { status: 400, title: 'The tenant domain must be 3 to 63 letters, digits or hyphens, beginning with a letter.' },
  email_taken: { status: 409, title: 'User already exists' },
  registration_expired: { status: 400, title: 'Registration session expired. Please register again.' },
  invalid_otp: { status: 401, title: 'Invalid or expired OTP' },
  invalid_code: { status: 400, title: 'The code is wrong or expired.' },
  /** As `reset_not_verified`, at the end users' doors. */
  reset_code_missing: { status: 400, title: 'No verified reset code found. Ask for a new code.' },
  reset_not_verified: { status: 401, title: 'No verified reset code found. Ask for a new code.' },
  restore_token_invalid: { status: 401, title: 'The restore token is unknown, used or expired.' },
  link_expired: { status: 400, title: 'The link is unknown, used or expired. Ask for a new one.' },
  passwords_do_not_match: { status: 400, title: 'Passwords do not match' },
  password_too_short: { status: 400, title: 'The password is too short.' },
  password_too_long: { status: 400, title: 'The password is longer than 128 characters.' },
  password_breached: { status: 400, title: 'This password appears in lists of leaked passwords. Choose another.' },
  password_guessable: { status: 400, title: 'The password is made from your own name, address or domain. Choose another.' },
  password_unchanged: { status: 400, title: 'The new password is the old one.' },
  invalid_client: { status: 400, title: 'Invalid client_id' },
  direct_registration: { status: 501, title: 'Use InitiateRegistration for direct registration' },
  mail_not_configured: { status: 500, title: 'Email delivery is not configured' },
  too_many_codes: { status: 429, title: 'Too many codes were sent to this address. Try again later.' },

  // Tenants, people, invitations, groups
  would_lock_out: { status: 409, title: 'You could not administer any more: your own sign-in is weaker than that. Sign in that strongly first.' },
  primary_administrator: { status: 403, title: 'The primary administrator cannot be disabled or removed.' },
  last_active_user: { status: 400, title: 'The last active person of a tenant cannot be disabled.' },
  username_taken: { status: 409, title: 'The user name is taken.' },
  tenant_exists: { status: 409, title: 'This address has a tenant already.' },
  invitation_accepted: { status: 400, title: 'The invitation was accepted already.' },
  invitation_lapsed: { status: 400, title: 'The invitation is too old to be sent again. Cancel it and invite anew.' },
  group_exists: { status: 409, title: 'A group of this name exists.' },
  precondition_required: { status: 428, title: 'Send If-Match with the ETag of what you change.' },
  precondition_failed: { status: 412, title: 'It was changed meanwhile. Read it again.' },

  // The tenant's own systems
  webhook_url_refused: { status: 400, title: 'The URL must be https, with a public host name, a usual port, and no credentials or fragment.' },
  webhook_limit: { status: 409, title: 'There are as many webhooks as a tenant may have.' },
  webhook_disabled: { status: 409, title: 'The webhook is disabled; enable it first.' },

  // Roles, permissions, bindings, scopes
  cannot_grant: { status: 403, title: 'Nobody grants what he does not hold.' },
  last_administrator: { status: 403, title: 'The last administrator, and the first one, keep their administration.' },
  system_role: { status: 409, title: 'A system role cannot be changed or deleted.' },
  system_permission: { status: 409, title: 'A seeded permission cannot be deleted.' },
  role_exists: { status: 409, title: 'A role of this name exists.' },
  permission_exists: { status: 409, title: 'This permission exists.' },
  scope_exists: { status: 409, title: 'A scope of this name exists.' },

  // Clients, domains, providers
  default_client: { status: 403, title: 'The default client cannot be changed or deleted.' },
  public_client: { status: 409, title: 'A public client has no secret.' },
  rotation_in_progress: {
    status: 409,
    title: 'The secrets before the last rotation still count. Wait until they lapse, or rotate without an overlap.',
  },
  client_exists: { status: 409, title: 'Another client of the tenant has this hydra_client_id.' },
  domain_taken: { status: 409, title: 'This domain is held by an organisation already.' },
  domain_exists: { status: 409, title: 'Your organisation has claimed this domain already.' },
  domain_limit: { status: 409, title: 'Your organisation has as many domains as it may have.' },
  domain_unproved: { status: 400, title: 'The proof was not found in the DNS.' },
  domain_already_verified: { status: 400, title: 'The domain is verified already.' },
  domain_not_verified: { status: 400, title: 'The domain is not verified.' },
  primary_domain: { status: 409, title: 'The primary domain cannot be deleted. Make another one primary first.' },
  platform_domain: { status: 409, title: 'The domain that the platform gave cannot be deleted.' },
  provider_exists: { status: 409, title: 'A provider of this name exists.' },
  provider_limit: { status: 409, title: 'There are as many providers as a tenant may have.' },
  secret_write_only: { status: 410, title: 'Secrets are written, never read back. Send a new one instead.' },
  client_configured: { status: 409, title: 'The main client of this tenant is configured already.' },
  internal_provider: { status: 403, title: 'This sign-in is the platform\u2019s own and cannot be changed here.' },

  // Checks for other services
  requirement_not_met: { status: 403, title: 'The session does not have what is asked for.' },
  identity_mismatch: { status: 403, title: 'The body names somebody or something else than the token.' },

  // Other providers
  provider_not_enabled: { status: 400, title: 'This provider is not enabled.' },
  provider_unavailable: { status: 503, title: 'The provider does not answer, or not as it should. Try again later.' },
  redirect_refused: { status: 400, title: 'The sign-in cannot lead there: only to this platform, or to a verified domain of the organisation.' },
  tenant_not_found: { status: 404, title: 'Tenant not found' },
  federation_failed: { status: 401, title: 'The sign-in through the provider did not succeed. Please start again.' },
  federation_no_account: { status: 401, title: 'This sign-in is not connected to an account of this organisation.' },
  federation_not_here: { status: 403, title: 'This sign-in is not connected to an account of this organisation.' },
  federation_unknown: { status: 404, title: 'User not found' },
  link_confirmation_required: { status: 409, title: 'There is an account with this address. Confirm that it is yours to connect it.' },
  email_confirmation_required: { status: 409, title: 'The provider has not verified your address. Confirm it with a mailed code.' },
  email_missing: { status: 409, title: 'The provider does not say an e-mail address that can be used here.' },
  saml_client_unknown: { status: 404, title: 'Client not found' },
  saml_provider_unknown: { status: 404, title: 'SAML provider not found' },
  saml_response_invalid: { status: 400, title: 'Invalid SAML response. Please start again.' },
  saml_mismatch: { status: 400, title: 'The answer belongs to another organisation or client.' },
  identity_taken: { status: 409, title: 'This sign-in is connected to another account.' },
  identity_not_linked: { status: 400, title: 'No sign-in of this provider is connected to your account.' },
  last_sign_in_method: { status: 400, title: 'This is the last way to sign in to your account. Set a password or add a passkey first.' },
  federation_ticket_invalid: { status: 401, title: 'The ticket is unknown, used or expired. Please start again.' },

  // Second factors
  mailbox_proof_required: { status: 401, title: 'Prove your mailbox first: a first factor is enrolled only by who can read your mail.' },
  setup_not_initiated: { status: 400, title: 'The setup was not begun here, or it is over. Begin again.' },
  invalid_totp_code: { status: 400, title: 'invalid TOTP code' },
  invalid_sms_code: { status: 400, title: 'invalid verification code' },
  sms_code_expired: { status: 400, title: 'verification code expired' },
  sms_attempts_used: { status: 400, title: 'too many verification attempts' },
  sms_not_initiated: { status: 400, title: 'SMS setup not initiated' },
  sms_not_enabled: { status: 400, title: 'SMS is not enabled' },
  totp_not_enabled: { status: 400, title: 'TOTP is not enabled' },
  sms_not_configured: { status: 500, title: 'SMS delivery is not configured' },
  sms_failed: { status: 500, title: 'The message could not be sent.' },
  sms_number_refused: { status: 400, title: 'No text message can be sent to this number.' },
  too_many_sms: { status: 429, title: 'Too many codes were sent. Try again later.' },
  factor_paused: { status: 429, title: 'Too many wrong codes. Wait before you try again.' },
  device_not_found: { status: 400, title: 'device not found' },
  last_device: { status: 400, title: 'The last remaining device cannot be removed here.' },
  factor_limit: { status: 409, title: 'You have as many factors as a person may have.' },
  last_factor: { status: 409, title: 'The last factor cannot be removed: one is required here.' },
  weaker_factors_remain: { status: 409, title: 'What would remain is weaker. Say accept_weaker=true if that is meant.' },
  recovery_not_offered: { status: 403, title: 'This organisation does not offer this way back in.' },
  recovery_waiting: { status: 409, title: 'The waiting period is not over yet.' },
  invalid_recovery: { status: 401, title: 'This recovery is unknown, used or expired.' },

  // Passkeys
  invalid_origin: { status: 400, title: 'invalid origin' },
  no_registration_session: { status: 400, title: 'no registration session' },
  no_authentication_session: { status: 400, title: 'no authentication session' },
  registration_failed: { status: 400, title: 'registration failed' },
  passkey_refused: { status: 401, title: 'authentication failed' },
  no_credentials: { status: 400, title: 'no credentials' },
  credentials_required: { status: 428, title: 'Register a passkey first.' },

  // Operations
  separate_databases_unsupported: {
    status: 503,
    title: 'This deployment keeps all tenants in one database; there is none to create or migrate per tenant.',
  },
  migration_failed: { status: 500, title: 'The migration failed; nothing of it was kept.' },
  delivery_failed: { status: 503, title: 'The message could not be delivered.' },
  password_change_required: { status: 403, title: 'The temporary password has to be changed first: POST /account/password.' },

  // Authorization server: names of RFC 6749, OpenID Connect Core and their extensions
  invalid_grant: { status: 400, title: 'The code or the token is invalid, expired, revoked, or was given to another client.' },
  unauthorized_client: { status: 400, title: 'The client is not registered for this.' },
  unsupported_response_type: { status: 400, title: 'This response type is not offered.' },
  invalid_scope: { status: 400, title: 'A scope is unknown, malformed, or may not be had.' },
  invalid_target: { status: 400, title: 'The resource is unknown, or the client is not registered at it.' },
  invalid_dpop_proof: { status: 400, title: 'The DPoP proof is missing or does not hold.' },
  use_dpop_nonce: { status: 400, title: 'The DPoP proof must bear the nonce of this answer.' },
  invalid_request_uri: { status: 400, title: 'The request_uri is unknown, used or expired.' },
  request_not_supported: { status: 400, title: 'Signed request objects are not offered.' },
  login_required: { status: 400, title: 'Somebody has to sign in.' },
  consent_required: { status: 400, title: 'Somebody has to consent.' },
  unmet_authentication_requirements: { status: 400, title: 'The sign-in is not as strong as was asked for.' },
  invalid_binding_message: { status: 400, title: 'The binding_message is too long, or has characters that cannot be shown.' },
  access_pending: { status: 403, title: 'access_pending' },
  invalid_redirect_uri: { status: 400, title: 'A redirect URI is not allowed.' },
  invalid_client_metadata: { status: 400, title: 'The client metadata is not allowed.' },
  registration_refused: { status: 403, title: 'Clients are not registered here without an administrator.' },
  invalid_authorization_details: { status: 400, title: 'authorization_details are malformed, of an unknown type, or more than may be had.' },
  limit_exceeded: { status: 409, title: 'This is more than is left of the limit.' },
  agent_retired: { status: 409, title: 'A retired agent stays as it is.' },
  delegation_policy_exists: { status: 409, title: 'There is a policy for this role and this type of agent.' },
  detail_type_exists: { status: 409, title: 'This type of authorization details is registered.' },
  issuer_exists: { status: 409, title: 'This issuer is registered.' },
  resource_taken: { status: 409, title: 'This resource identifier is registered already.' },

  // Hosted pages
  cross_site: { status: 403, title: 'This form was sent from another site.' },
  login_challenge_invalid: { status: 400, title: 'The login challenge is unknown, used or expired, or was begun in another browser.' },
  consent_challenge_invalid: { status: 400, title: 'The consent challenge is unknown, used or expired, or was begun in another browser.' },
  origin_not_verified: { status: 403, title: 'Origin domain not verified for this tenant' },
  form_expired: { status: 400, title: 'This page was open too long. Load it again.' },
  sign_in_required: { status: 401, title: 'Sign in to continue.' },
  // Device grants and backchannel requests (RFC 8628 section 3.5, OpenID CIBA Core section 11)
  authorization_pending: { status: 400, title: 'Nobody has decided yet.' },
  slow_down: { status: 400, title: 'Poll less often: the interval has grown by five seconds.' },
  expired_token: { status: 400, title: 'The request is unknown, expired or used.' },
  access_denied: { status: 403, title: 'The request was refused.' },
  /** As `access_denied`, where the protocol asks for 400. */
  authorization_denied: { status: 400, title: 'The request was refused.' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported here.' },
  invalid_user_code: { status: 400, title: 'Invalid or expired user code' },
  user_code_unknown: { status: 404, title: 'Invalid or expired user code' },
  client_unauthenticated: { status: 400, title: 'The client has to authenticate itself.' },
  ciba_not_answered: { status: 400, title: 'Failed to respond' },
  ciba_user_unknown: { status: 400, title: 'The person is not known.' },
  ciba_no_device: { status: 400, title: 'The person has no device that can be asked.' },
  too_many_requests_pending: { status: 429, title: 'This person is being asked often enough. Try again later.' },
  device_unknown: { status: 400, title: 'Device not found' },
  mcp_client_unknown: { status: 404, title: 'There is no such client.' },
  mcp_session_unknown: { status: 404, title: 'The session is unknown, over, or was opened already.' },
  mcp_code_refused: { status: 401, title: 'The code is not of this session, has expired, or was used.' },
  mcp_tool_unknown: { status: 400, title: 'Only the tools for signing in, whose names begin with oauth_, are called here.' },
  voice_invalid_request: { status: 401, title: 'The voice session is unknown or was not verified.' },
  voice_expired: { status: 401, title: 'The voice session has expired or was used.' },
  voice_invalid_grant: { status: 401, title: 'The credentials are not accepted here.' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** What the record is told of a refusal, after the rollback. Without a tenant it goes to the system tenant's record. */
export type Refusal = {
  readonly tenantId?: string
  readonly userId?: string
  readonly clientId?: string
  /** The audit event that did not come to pass. */
  readonly event: string
}

export type ErrorDetails = {
  /** The failing field, as a path: `body.email`. */
  readonly field?: string
  readonly retryAfterSeconds?: number
  readonly refusal?: Refusal
  readonly headers?: Readonly<Record<string, string>>
  /** The page of ours that says it, where no form was sent. */
  readonly saidOn?: string
  /** More members of the body, where AuthSec names them (`hint`, `details`). */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** `detail` reaches the caller; `cause` reaches only the log. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  constructor(code: ErrorCode, detail?: string, details: ErrorDetails = {}, cause?: unknown) {
    super(detail ?? ERRORS[code].title, { cause })
    this.name = 'AppError'
    this.code = code
    this.details = details
  }
  get status(): number {
    return ERRORS[this.code].status
  }
}
