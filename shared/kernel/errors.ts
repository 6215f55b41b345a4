// Every error that a caller can receive, declared once. Codes are API; titles are not.

export const ERRORS = {
  invalid_request: { status: 400, title: 'The request is malformed.' },
  invalid_json: { status: 400, title: 'The body is not JSON.' },
  unsupported_media_type: { status: 400, title: 'The body must be sent as application/json.' },
  too_many_members: { status: 413, title: 'The request has too many members or parameters.' },
  payload_too_large: { status: 413, title: 'The body is too large.' },
  answer_too_large: { status: 413, title: 'The response is too large to send. Request fewer items.' },
  /** Never received: the connection is closed. For the log and the metrics, where it counts as the client's. */
  client_closed_request: { status: 499, title: 'The client closed the connection before the request was complete.' },
  unknown_host: { status: 421, title: 'This server does not serve that host.' },
  headers_too_large: { status: 431, title: 'The request headers are too large.' },
  not_found: { status: 404, title: 'Not found.' },
  method_not_allowed: { status: 405, title: 'This path does not support that method.' },
  unauthorized: { status: 401, title: 'Authorization header required.' },
  invalid_token: { status: 401, title: 'The token is invalid, expired or revoked.' },
  client_authentication_failed: { status: 401, title: 'The client is unknown, not active, or the secret is wrong.' },
  forbidden: { status: 403, title: 'You may not do this.' },
  insufficient_scope: { status: 403, title: 'The caller lacks a permission.' },
  tenant_mismatch: { status: 403, title: 'Access denied: tenant mismatch.' },
  insufficient_user_authentication: { status: 401, title: 'A more recent or stronger sign-in is needed.' },
  authentication_required: { status: 401, title: 'Authentication required.' },
  rate_limited: { status: 429, title: 'Rate limit exceeded.' },
  quota_exceeded: { status: 429, title: 'The quota of this tenant is exhausted.' },
  conflict: { status: 409, title: 'The request conflicts with the current state.' },
  timeout: { status: 408, title: 'Request timeout' },
  unavailable: { status: 503, title: 'A required service is unavailable. Try again shortly.' },
  internal: { status: 500, title: 'Internal server error' },
  not_implemented: { status: 501, title: 'Not supported by this server.' },

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
  /** As `reset_not_verified`, on the endpoints for end users. */
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
  would_lock_out: {
    status: 409,
    title: 'This would lock you out: your own sign-in is weaker than the new requirement. Sign in with that strength first.',
  },
  primary_administrator: { status: 403, title: 'The primary administrator cannot be disabled or removed.' },
  last_active_user: { status: 400, title: 'The last active person of a tenant cannot be disabled.' },
  username_taken: { status: 409, title: 'The user name is taken.' },
  tenant_exists: { status: 409, title: 'This address already has a tenant.' },
  invitation_accepted: { status: 400, title: 'The invitation has already been accepted.' },
  invitation_lapsed: { status: 400, title: 'The invitation is too old to be sent again. Cancel it and create a new one.' },
  group_exists: { status: 409, title: 'A group with this name already exists.' },
  precondition_required: { status: 428, title: 'Send If-Match with the ETag of the resource that you change.' },
  precondition_failed: { status: 412, title: 'The resource has changed since you read it. Read it again.' },

  // The tenant's own systems
  webhook_url_refused: { status: 400, title: 'The URL must be https, with a public host name, a usual port, and no credentials or fragment.' },
  webhook_limit: { status: 409, title: 'The tenant has reached its limit of webhooks.' },
  webhook_disabled: { status: 409, title: 'The webhook is disabled; enable it first.' },

  // Roles, permissions, bindings, scopes
  cannot_grant: { status: 403, title: 'You can only grant permissions that you hold.' },
  last_administrator: { status: 403, title: 'The last administrator and the first administrator cannot lose administration.' },
  system_role: { status: 409, title: 'A system role cannot be changed or deleted.' },
  system_permission: { status: 409, title: 'A seeded permission cannot be deleted.' },
  role_exists: { status: 409, title: 'A role with this name already exists.' },
  permission_exists: { status: 409, title: 'This permission already exists.' },
  scope_exists: { status: 409, title: 'A scope with this name already exists.' },

  // Clients, domains, providers
  default_client: { status: 403, title: 'The default client cannot be changed or deleted.' },
  public_client: { status: 409, title: 'A public client has no secret.' },
  rotation_in_progress: {
    status: 409,
    title: 'The secrets from before the last rotation are still valid. Wait until they expire, or rotate without an overlap.',
  },
  client_exists: { status: 409, title: 'Another client of the tenant has this hydra_client_id.' },
  domain_taken: { status: 409, title: 'Another organisation already holds this domain.' },
  domain_exists: { status: 409, title: 'Your organisation has already claimed this domain.' },
  domain_limit: { status: 409, title: 'Your organisation has reached its limit of domains.' },
  domain_unproved: { status: 400, title: 'The verification record was not found in the DNS.' },
  domain_already_verified: { status: 400, title: 'The domain is already verified.' },
  domain_not_verified: { status: 400, title: 'The domain is not verified.' },
  primary_domain: { status: 409, title: 'The primary domain cannot be deleted. Make another one primary first.' },
  platform_domain: { status: 409, title: 'The domain that the platform assigned cannot be deleted.' },
  provider_exists: { status: 409, title: 'A provider with this name already exists.' },
  provider_limit: { status: 409, title: 'The tenant has reached its limit of providers.' },
  secret_write_only: { status: 410, title: 'Secrets cannot be read back. Set a new one instead.' },
  client_configured: { status: 409, title: 'The main client of this tenant is already configured.' },
  internal_provider: { status: 403, title: 'This sign-in is the platform\u2019s own and cannot be changed here.' },

  // Checks for other services
  requirement_not_met: { status: 403, title: 'The session does not meet the requirement.' },
  identity_mismatch: { status: 403, title: 'The body and the token identify different subjects.' },

  // Other providers
  provider_not_enabled: { status: 400, title: 'This provider is not enabled.' },
  provider_unavailable: { status: 503, title: 'The provider does not respond correctly. Try again later.' },
  redirect_refused: { status: 400, title: 'A sign-in can only redirect to this platform or to a verified domain of the organisation.' },
  tenant_not_found: { status: 404, title: 'Tenant not found' },
  federation_failed: { status: 401, title: 'The sign-in through the provider did not succeed. Please start again.' },
  federation_no_account: { status: 401, title: 'This sign-in is not connected to an account of this organisation.' },
  federation_not_here: { status: 403, title: 'This sign-in is not connected to an account of this organisation.' },
  federation_unknown: { status: 404, title: 'User not found' },
  link_confirmation_required: { status: 409, title: 'An account with this address exists. Confirm that it is yours to connect it.' },
  email_confirmation_required: { status: 409, title: 'The provider has not verified your address. Confirm it with a mailed code.' },
  email_missing: { status: 409, title: 'The provider supplies no usable e-mail address.' },
  saml_client_unknown: { status: 404, title: 'Client not found' },
  saml_provider_unknown: { status: 404, title: 'SAML provider not found' },
  saml_response_invalid: { status: 400, title: 'Invalid SAML response. Please start again.' },
  saml_mismatch: { status: 400, title: 'The response belongs to another organisation or client.' },
  identity_taken: { status: 409, title: 'This sign-in is connected to another account.' },
  identity_not_linked: { status: 400, title: 'No sign-in of this provider is connected to your account.' },
  last_sign_in_method: { status: 400, title: 'This is the last way to sign in to your account. Set a password or add a passkey first.' },
  federation_ticket_invalid: { status: 401, title: 'The sign-in is unknown, used or expired. Please start again.' },

  // Second factors
  mailbox_proof_required: {
    status: 401,
    title: 'Verify your e-mail address first: the first factor can only be enrolled by the owner of the mailbox.',
  },
  setup_not_initiated: { status: 400, title: 'The setup was not started here, or it has expired. Start again.' },
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
  factor_limit: { status: 409, title: 'You have reached the limit of factors.' },
  last_factor: { status: 409, title: 'The last factor cannot be removed: this organisation requires one.' },
  weaker_factors_remain: { status: 409, title: 'The remaining factors are weaker. Send accept_weaker=true to confirm.' },
  recovery_not_offered: { status: 403, title: 'This organisation does not offer this kind of recovery.' },
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
    title: 'This deployment keeps all tenants in one database; tenant databases cannot be created or migrated.',
  },
  migration_failed: { status: 500, title: 'The migration failed and was rolled back.' },
  delivery_failed: { status: 503, title: 'The message could not be delivered.' },
  password_change_required: { status: 403, title: 'Change the temporary password first: POST /account/password.' },

  // Authorization server: names of RFC 6749, OpenID Connect Core and their extensions
  invalid_grant: { status: 400, title: 'The code or the token is invalid, expired, revoked, or was given to another client.' },
  unauthorized_client: { status: 400, title: 'The client is not registered for this.' },
  unsupported_response_type: { status: 400, title: 'This response type is not supported.' },
  invalid_scope: { status: 400, title: 'A scope is unknown, malformed or not allowed.' },
  invalid_target: { status: 400, title: 'The resource is unknown, or the client is not registered for it.' },
  invalid_dpop_proof: { status: 400, title: 'The DPoP proof is missing or invalid.' },
  use_dpop_nonce: { status: 400, title: 'The DPoP proof must contain the nonce of this response.' },
  invalid_request_uri: { status: 400, title: 'The request_uri is unknown, used or expired.' },
  request_not_supported: { status: 400, title: 'Signed request objects are not supported.' },
  login_required: { status: 400, title: 'Sign-in is required.' },
  consent_required: { status: 400, title: 'Consent is required.' },
  unmet_authentication_requirements: { status: 400, title: 'The sign-in does not meet the requested strength.' },
  invalid_binding_message: { status: 400, title: 'The binding_message is too long or contains characters that cannot be displayed.' },
  access_pending: { status: 403, title: 'access_pending' },
  invalid_redirect_uri: { status: 400, title: 'A redirect URI is not allowed.' },
  invalid_client_metadata: { status: 400, title: 'The client metadata is not allowed.' },
  registration_refused: { status: 403, title: 'Only an administrator can register clients here.' },
  invalid_authorization_details: { status: 400, title: 'authorization_details are malformed, of an unknown type, or not allowed.' },
  limit_exceeded: { status: 409, title: 'The request exceeds the remaining limit.' },
  spend_id_reused: { status: 409, title: 'This spend_id was used for another request.' },
  agent_retired: { status: 409, title: 'A retired agent cannot be changed.' },
  delegation_policy_exists: { status: 409, title: 'A policy for this role and this type of agent already exists.' },
  detail_type_exists: { status: 409, title: 'This type of authorization details is already registered.' },
  attestation_failed: { status: 401, title: 'The evidence is not accepted.' },
  attestor_exists: { status: 409, title: 'An attestor with this name already exists.' },
  issuer_exists: { status: 409, title: 'This issuer is already registered.' },
  activation_blocked: { status: 409, title: 'activation blocked' },
  resource_taken: { status: 409, title: 'This resource identifier is already registered.' },

  // Workload identity (SPIFFE)
  entry_exists: { status: 409, title: 'A registration entry with this SPIFFE id already exists.' },
  bundle_unavailable: { status: 400, title: 'The bundle endpoint cannot be reached, or does not respond with a bundle.' },
  sequence_regressed: { status: 409, title: 'The bundle is older than the one already known.' },
  bundle_url_refused: { status: 400, title: 'The URL must be https, with a public host name, a usual port, and no credentials or fragment.' },

  // Hosted pages
  cross_site: { status: 403, title: 'This form was sent from another site.' },
  login_challenge_invalid: { status: 400, title: 'The login challenge is unknown, used or expired, or was started in another browser.' },
  consent_challenge_invalid: { status: 400, title: 'The consent challenge is unknown, used or expired, or was started in another browser.' },
  origin_not_verified: { status: 403, title: 'Origin domain not verified for this tenant' },
  form_expired: { status: 400, title: 'This page was open too long. Load it again.' },
  sign_in_required: { status: 401, title: 'Sign in to continue.' },
  // Device grants and backchannel requests (RFC 8628 section 3.5, OpenID CIBA Core section 11)
  authorization_pending: { status: 400, title: 'The authorization request is still pending.' },
  slow_down: { status: 400, title: 'Poll less often: the interval has increased by five seconds.' },
  expired_token: { status: 400, title: 'The request is unknown, expired or used.' },
  access_denied: { status: 403, title: 'The request was refused.' },
  /** As `access_denied`, where the protocol requires status 400. */
  authorization_denied: { status: 400, title: 'The request was refused.' },
  unsupported_grant_type: { status: 400, title: 'The grant type is not supported here.' },
  invalid_user_code: { status: 400, title: 'Invalid or expired user code' },
  user_code_unknown: { status: 404, title: 'Invalid or expired user code' },
  client_unauthenticated: { status: 400, title: 'The client must authenticate.' },
  ciba_not_answered: { status: 400, title: 'Failed to respond' },
  ciba_user_unknown: { status: 400, title: 'The person is unknown.' },
  ciba_no_device: { status: 400, title: 'The person has no device that can approve requests.' },
  too_many_requests_pending: { status: 429, title: 'This person has too many pending requests. Try again later.' },
  device_unknown: { status: 400, title: 'Device not found' },
  mcp_client_unknown: { status: 404, title: 'The client is unknown.' },
  mcp_session_unknown: { status: 404, title: 'The session is unknown, expired or already opened.' },
  mcp_code_refused: { status: 401, title: 'The code belongs to another session, has expired, or was used.' },
  mcp_tool_unknown: { status: 400, title: 'This endpoint only calls the sign-in tools, which have the prefix oauth_.' },
  voice_invalid_request: { status: 401, title: 'The voice session is unknown or was not verified.' },
  voice_expired: { status: 401, title: 'The voice session has expired or was used.' },
  voice_invalid_grant: { status: 401, title: 'The credentials are not accepted here.' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** What the audit log records of a refusal, after the rollback. Without a tenant it goes to the system tenant's audit log. */
export type Refusal = {
  readonly tenantId?: string
  readonly userId?: string
  readonly clientId?: string
  /** The audit event that would have been written on success. */
  readonly event: string
  /** A finer reason than the error's code, for the audit log alone. */
  readonly reason?: string
  /** What the request was about; the event by default. */
  readonly target?: { readonly type: string; readonly id: string }
}

export type ErrorDetails = {
  /** The failing field, as a path: `body.email`. */
  readonly field?: string
  /** The errors of a form's fields, where several were refused. */
  readonly fields?: Readonly<Record<string, ErrorCode>>
  readonly retryAfterSeconds?: number
  readonly refusal?: Refusal
  readonly headers?: Readonly<Record<string, string>>
  /** The hosted page that displays the error, when no form was sent. */
  readonly saidOn?: string
  /** What the request named. Only the log and the page in development contain it. */
  readonly named?: Readonly<Record<string, string | undefined>>
  /** Further members of the body that AuthSec's contract defines (`hint`, `details`). */
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
