// Wire shapes of the authorization endpoint and of pushed requests. The schema bounds lengths only: the rule validates values, since the place where an error
// is reported depends on which checks passed.
import * as z from 'zod'
import { canonicalResource } from './scopes.ts'
import { clientMembers, given, RESOURCES } from './token.schema.ts'

const parameters = {
  response_type: given(64),
  redirect_uri: given(),
  scope: given(4096),
  state: given(4096),
  code_challenge: given(256),
  code_challenge_method: given(64),
  resource: given(RESOURCES, canonicalResource),
  nonce: given(1024),
  prompt: given(256),
  max_age: given(32),
  login_hint: given(320),
  acr_values: given(256),
  response_mode: given(64),
  dpop_jkt: given(64),
  request: given(8192),
  authorization_details: given(16_384),
  request_uri: given(512),
  id_token_hint: given(8192),
  ui_locales: given(256),
}

/** The parameters with which a company's own front end sends the browser back. */
const answers = { login_verifier: given(256), consent_verifier: given(256) }
const AuthorizationQuery = z.object({ ...parameters, ...answers, client_id: given() })
export const AuthorizationForm = z.object({ ...parameters, client_id: given() }).meta({ id: 'AuthorizationRequest' })
export const AuthorizeQuery = AuthorizationQuery
export const PushedForm = z.object({ ...parameters, ...clientMembers }).meta({ id: 'PushedAuthorizationRequest' })
export const PushedAnswer = z.object({ request_uri: z.string(), expires_in: z.int() }).meta({ id: 'PushedAuthorizationAnswer' })
export const ConsentForm = z
  .object({
    form_token: z.string().max(100).optional(),
    consent: z.string().max(100),
    decision: z.enum(['allow', 'deny']),
    user_code: z.string().max(32).optional(),
  })
  .meta({ id: 'ConsentForm' })
