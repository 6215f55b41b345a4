// Wire shapes of custom domains.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const DomainsPath = z.object({ tenant_id: Id })
export const DomainPath = z.object({ tenant_id: Id, domain_id: Id })
/** `is_primary` of AuthSec is accepted and ignored: only a verified domain can be made primary, by a separate request. */
export const ClaimDomain = z.object({ domain: z.string().min(1).max(1000) }).meta({ id: 'ClaimDomain' })

export const DomainOut = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    domain: z.string(),
    kind: z.enum(['platform_subdomain', 'custom']),
    is_primary: z.boolean(),
    is_verified: z.boolean(),
    verification_method: z.literal('dns_txt'),
    /** Disclosed only to callers who may change domains; empty for a domain that needs no proof. */
    verification_token: z.string().optional(),
    verification_txt_name: z.string().optional(),
    verification_txt_value: z.string().optional(),
    verified_at: z.string().optional(),
    /** When the last lookup failed, and why. */
    last_checked_at: z.string().optional(),
    failure_reason: z.string().optional(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Domain' })

const success = z.literal(true)
export const ClaimedDomain = z
  .object({
    success,
    domain: DomainOut,
    verification: z.object({ method: z.literal('dns_txt'), txt_name: z.string(), txt_value: z.string(), token: z.string() }),
  })
  .meta({ id: 'ClaimedDomain' })
export const Domains = z.object({ success, domains: z.array(DomainOut), count: z.int() }).meta({ id: 'Domains' })
export const OneDomain = z.object({ success, domain: DomainOut }).meta({ id: 'OneDomain' })
export const ChangedDomain = z.object({ success, message: z.string(), domain: DomainOut }).meta({ id: 'ChangedDomain' })
export const DeletedDomain = z.object({ success, message: z.string() }).meta({ id: 'DeletedDomain' })
