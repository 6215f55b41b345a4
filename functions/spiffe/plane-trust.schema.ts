// Wire shapes of provisioning and publishing a trust domain in AuthSec's identity plane.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const ProvisionPath = z.object({ tenant_id: Id })
/** Names, domains and lifetimes of the certificate authority are ours; the members are accepted because AuthSec's clients send them. */
export const ProvisionRequest = z.object({ tenant_id: Id.optional() }).meta({ id: 'PlaneProvisionRequest' })
export const Provisioned = z
  .object({ status: z.literal('provisioned'), tenant_id: z.uuid(), trust_domain: z.string(), sequence: z.int(), ca_bundle: z.string() })
  .meta({ id: 'PlaneProvisioned' })

export const CaBundlePath = z.object({ tenant: z.string().max(64) })
export const CaBundle = z.object({ ca_bundle: z.string().meta({ description: 'PEM.' }), tenant_id: z.string() }).meta({ id: 'PlaneCaBundle' })
export const JwtBundleQuery = z.object({ tenant_id: z.string().min(1).max(64) })
/** Compatibility: AuthSec's clients check that the service runs. */
export const PlaneHealth = z.object({ status: z.literal('healthy'), service: z.string(), version: z.string().optional() }).meta({ id: 'PlaneHealth' })
