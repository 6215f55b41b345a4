// Translates AuthSec's provider object into the input of a connection.
import { issuerOfEndpoint } from '#shared/domains/federation/engine/presets'
import type { ConnectionFields, ConnectionInput } from './connection.ts'
import { HIDDEN_SECRET } from './view.ts'
import type { ProviderRequest } from './wire.schema.ts'

/** `at` is the path of the object in the body. */
export const providerFieldsAt = (at: string): ConnectionFields => ({
  name: `${at}.provider_name`,
  issuer: `${at}.issuer_url`,
  secret: `${at}.client_secret`,
  clientId: `${at}.client_id`,
  domains: `${at}.is_active`,
  parameters: `${at}.additional_params`,
})

const isPresent = (text: string | undefined): text is string => text !== undefined && text !== ''

/** The given issuer, or the issuer that owns the authorization endpoint. */
const issuerIn = ({ issuer_url, auth_url }: ProviderRequest): string | undefined =>
  isPresent(issuer_url) ? issuer_url : isPresent(auth_url) ? issuerOfEndpoint(auth_url) : undefined

/** A masked secret that is sent back keeps the stored one. */
export const connectionInputOf = (request: ProviderRequest): ConnectionInput => {
  const issuer = issuerIn(request)
  return {
    ...(request.display_name === undefined ? {} : { displayName: request.display_name }),
    ...(request.client_id === undefined ? {} : { clientId: request.client_id }),
    ...(request.client_secret === undefined || request.client_secret === HIDDEN_SECRET ? {} : { secret: request.client_secret }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(request.auth_url === undefined ? {} : { authorizationUrl: request.auth_url }),
    ...(request.token_url === undefined ? {} : { tokenUrl: request.token_url }),
    ...(request.user_info_url === undefined ? {} : { userinfoUrl: request.user_info_url }),
    ...(request.jwks_url === undefined ? {} : { jwksUrl: request.jwks_url }),
    ...(request.scopes === undefined ? {} : { scopes: [...new Set(request.scopes)].join(' ') }),
    ...(request.additional_params === undefined ? {} : { additionalParams: request.additional_params }),
    ...(request.is_active === undefined ? {} : { isActive: request.is_active }),
    ...(request.sort_order === undefined ? {} : { sortOrder: request.sort_order }),
  }
}
