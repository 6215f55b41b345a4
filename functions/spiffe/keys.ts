// The tenant's trust domain and its keys, for administrators.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { listWorkloadKeys } from '#db/store/trust-domains'
import { issuerOfTenant } from '#shared/domains/spiffe/bundle'
import { revokeWorkloadKey } from '#shared/domains/spiffe/key-changes'
import { findTrustDomain } from '#shared/domains/spiffe/keys'
import { AppError } from '#shared/kernel/errors'
import { byUser } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { TrustDomainOut } from './keys.schema.ts'

const MAX_KEYS = 200

/** @throws AppError not_found before the trust domain exists */
export const readTrustDomain = async (ctx: Ctx, caller: User): Promise<z.input<typeof TrustDomainOut>> => {
  const domain = await findTrustDomain(ctx, caller.tenantId)
  if (domain === undefined) throw new AppError('not_found')
  const keys = await listWorkloadKeys(forTenant(ctx.db, caller.tenantId), MAX_KEYS)
  const issuer = issuerOfTenant(ctx.config, caller.tenantId)
  return {
    trust_domain: domain.name,
    sequence: domain.sequence,
    issuer,
    bundle_url: `${issuer}/bundle`,
    keys: keys.map(({ kid, use, alg, status, createdAt, currentSince, retiresAt, notAfter }) => ({
      kid,
      use,
      alg,
      status,
      created_at: createdAt.toISOString(),
      current_since: currentSince?.toISOString() ?? null,
      retires_at: retiresAt?.toISOString() ?? null,
      not_after: notAfter?.toISOString() ?? null,
    })),
  }
}

/** @throws AppError not_found */
export const revokeKeyOfTrustDomain = async (ctx: Ctx, caller: User, kid: string): Promise<undefined> => {
  await revokeWorkloadKey(ctx, caller.tenantId, kid, byUser(caller))
  return undefined
}
