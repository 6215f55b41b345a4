// The trust domain in AuthSec's identity plane.
import type * as z from 'zod'
import { findCaBundle } from '#shared/domains/spiffe/bundle'
import { ensureTrustDomain } from '#shared/domains/spiffe/signer'
import { AppError } from '#shared/kernel/errors'
import { byUser } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CaBundle, Provisioned } from './plane-trust.schema.ts'
import { tenantInPath } from './publication.ts'

/** Idempotent. Creates the trust domain and its keys. Events: trust_domain.created, workload_key.created. */
export const provisionTrustDomain = async (ctx: Ctx, caller: User): Promise<z.input<typeof Provisioned>> => {
  const { tenantId } = caller
  const { name, sequence } = await ensureTrustDomain(ctx, tenantId, byUser(caller))
  return { status: 'provisioned', tenant_id: tenantId, trust_domain: name, sequence, ca_bundle: (await findCaBundle(ctx, tenantId)) ?? '' }
}

/** @throws AppError not_found */
export const readCaBundle = async (ctx: Ctx, tenant: string): Promise<z.input<typeof CaBundle>> => {
  const bundle = await findCaBundle(ctx, tenantInPath(tenant))
  if (bundle === undefined) throw new AppError('not_found')
  return { ca_bundle: bundle, tenant_id: tenant }
}
