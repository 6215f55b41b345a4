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
export const connectionInputOf = (asked: ProviderRequest): ConnectionInput => {
  const issuer = issuerIn(asked)
  return {
    ...(asked.display_name === undefined ? {} : { displayName: asked.display_name }),
    ...(asked.client_id === undefined ? {} : { clientId: asked.client_id }),
    ...(asked.client_secret === undefined || asked.client_secret === HIDDEN_SECRET ? {} : { secret: asked.client_secret }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(asked.auth_url === undefined ? {} : { authorizationUrl: asked.auth_url }),
    ...(asked.token_url === undefined ? {} : { tokenUrl: asked.token_url }),
    ...(asked.user_info_url === undefined ? {} : { userinfoUrl: asked.user_info_url }),
    ...(asked.jwks_url === undefined ? {} : { jwksUrl: asked.jwks_url }),
    ...(asked.scopes === undefined ? {} : { scopes: [...new Set(asked.scopes)].join(' ') }),
    ...(asked.additional_params === undefined ? {} : { additionalParams: asked.additional_params }),
    ...(asked.is_active === undefined ? {} : { isActive: asked.is_active }),
    ...(asked.sort_order === undefined ? {} : { sortOrder: asked.sort_order }),
  }
}
