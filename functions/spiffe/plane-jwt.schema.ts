// Wire shapes of JWT-SVIDs in AuthSec's identity plane.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const MAX_SECONDS = 86_400
const audience = z.array(z.string().min(1).max(400)).max(10)
const claims = z.record(z.string().max(64), z.unknown()).optional().meta({ description: 'Claims that would name or grant something are left out.' })
const ttl = z.number().int().min(0).max(MAX_SECONDS).optional()

export const PlaneJwtRequest = z
  .object({ spiffe_id: z.string().max(2048).optional(), audience: audience.min(1), ttl, custom_claims: claims })
  .meta({ id: 'PlaneJwtRequest' })
export const DelegatedJwtRequest = z
  .object({ spiffe_id: z.string().min(1).max(2048), audience: audience.optional(), ttl, custom_claims: claims })
  .meta({ id: 'PlaneDelegatedJwtRequest' })
export const PlaneJwt = z.object({ spiffe_id: z.string(), token: z.string(), expires_at: z.iso.datetime() }).meta({ id: 'PlaneJwt' })

export const ValidateRequest = z
  .object({ tenant_id: Id.optional(), token: z.string().min(1).max(16_384), audience: z.string().max(400).optional() })
  .meta({ id: 'PlaneValidateRequest' })
export const Validation = z
  .object({
    valid: z.boolean(),
    spiffe_id: z.string().optional(),
    sub: z.string().optional(),
    tenant_id: z.string().optional(),
    permissions: z.array(z.string()).optional(),
    audience: z.array(z.string()).optional(),
    claims: z.record(z.string(), z.unknown()).optional(),
    expires_at: z.iso.datetime().optional(),
    issued_at: z.iso.datetime().optional(),
  })
  .meta({ id: 'PlaneValidation' })
export const RenewRequest = z.object({ token: z.string().min(1).max(16_384) }).meta({ id: 'PlaneRenewRequest' })
