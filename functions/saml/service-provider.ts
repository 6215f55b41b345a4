// Our entity id and assertion consumer URLs.
import type { Config } from '#shared/kernel/config'

type Deps = { readonly config: Pick<Config, 'BASE_URL'> }
export type ServiceProvider = { readonly tenantId: string; readonly clientId: string }

const BASE = '/authsec/hmgr/saml'

export const entityIdOf = ({ config }: Deps, { tenantId, clientId }: ServiceProvider): string =>
  `${config.BASE_URL}${BASE}/metadata/${tenantId}/${clientId}`
export const clientAcsOf = ({ config }: Deps, { tenantId, clientId }: ServiceProvider): string =>
  `${config.BASE_URL}${BASE}/acs/${tenantId}/${clientId}`
export const sharedAcsOf = ({ config }: Deps): string => `${config.BASE_URL}${BASE}/acs`
