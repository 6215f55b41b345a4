// SPIFFE ids (SPIFFE-ID, section 2), as strict as every verifier that may see them: the only parser. Ids are compared as bytes.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'

export type SpiffeId = { readonly trustDomain: string; readonly segments: readonly string[] }

const SCHEME = 'spiffe://'
const MAX_BYTES = 2048
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/

export const isTrustDomainName = (text: string): boolean => TRUST_DOMAIN.test(text)
export const isSpiffeSegment = (text: string): boolean => SEGMENT.test(text)

/** Undefined for anything but the one spelling of an id: no port, user, query, fragment, escape, empty segment or trailing slash. */
export const parseSpiffeId = (text: string): SpiffeId | undefined => {
  if (text.length > MAX_BYTES || !text.startsWith(SCHEME)) return undefined
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/')
  return isTrustDomainName(trustDomain) && segments.every(isSpiffeSegment) ? { trustDomain, segments } : undefined
}

export const spiffeIdText = ({ trustDomain, segments }: SpiffeId): string => [`${SCHEME}${trustDomain}`, ...segments].join('/')

type Domains = Pick<Config, 'SPIFFE_TRUST_DOMAIN'>

/**
 * The tenant to which an id belongs: the name of its trust domain, or the tenant in the path of the platform's trust domain. The tenant may not exist.
 */
export const tenantOfSpiffeId = ({ SPIFFE_TRUST_DOMAIN: platform }: Domains, { trustDomain, segments }: SpiffeId): TenantId | undefined => {
  if (isUuid(trustDomain)) return asTenantId(trustDomain)
  const [tenants, tenantId, ...rest] = segments
  return trustDomain === platform && tenants === 'tenants' && isUuid(tenantId) && rest.length > 0 ? asTenantId(tenantId) : undefined
}

/** The trust domain of a tenant. */
export const trustDomainName = (tenantId: TenantId): string => tenantId

/** Whether X.509-SVIDs of the tenant can name it: its trust domain is the tenant's own. */
export const isInTenantTrustDomain = (tenantId: TenantId, id: SpiffeId): boolean => id.trustDomain === trustDomainName(tenantId)

const refused = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

/**
 * An id of the tenant that a workload or an agent can have: with a path.
 * @throws AppError invalid_request naming the field
 */
export const requireTenantSpiffeId = (config: Domains, tenantId: TenantId, text: string, field: string): SpiffeId => {
  const id = parseSpiffeId(text)
  if (id === undefined) throw refused(field, 'is not a SPIFFE id')
  if (tenantOfSpiffeId(config, id) !== tenantId) throw refused(field, 'is in the trust domain of another organisation')
  if (id.segments.length === 0) throw refused(field, 'must have a path')
  return id
}

/** As `requireTenantSpiffeId`, also for the trust domain itself. @throws AppError invalid_request naming the field */
export const requireParentId = (config: Domains, tenantId: TenantId, text: string, field: string): SpiffeId => {
  const id = parseSpiffeId(text)
  if (id !== undefined && id.segments.length === 0 && isInTenantTrustDomain(tenantId, id)) return id
  return requireTenantSpiffeId(config, tenantId, text, field)
}
