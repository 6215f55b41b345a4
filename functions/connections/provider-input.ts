// What AuthSec's provider object says, in our words.
import { issuerOfEndpoint } from '#shared/domains/federation/engine/presets'
import type { ConnectionFields, ConnectionInput } from './connection.ts'
import { HIDDEN_SECRET } from './view.ts'
import type { ProviderRequest } from './wire.schema.ts'

/** `at`: where in the body the object stands. */
export const providerFieldsAt = (at: string): ConnectionFields => ({
  name: `${at}.provider_name`,
  issuer: `${at}.issuer_url`,
  secret: `${at}.client_secret`,
  clientId: `${at}.client_id`,
  domains: `${at}.is_active`,
  parameters: `${at}.additional_params`,
})

const isSaid = (text: string | undefined): text is string => text !== undefined && text !== ''

/** The issuer that is named, else the one to whom the authorization endpoint belongs. */
const issuerIn = ({ issuer_url, auth_url }: ProviderRequest): string | undefined =>
  isSaid(issuer_url) ? issuer_url : isSaid(auth_url) ? issuerOfEndpoint(auth_url) : undefined

/** A secret that is sent back as it was shown is the one that is there. */
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
