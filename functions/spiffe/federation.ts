// Federated trust domains, for administrators. Whoever controls the endpoint can name any workload of that trust domain.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import {
  deleteFederatedBundle,
  type FederatedBundle,
  findFederatedBundle,
  listFederatedBundles,
  lockFederatedBundle,
  putFederatedBundle,
} from '#db/store/federated-bundles'
import { fetchBundle, isOlderBundle, storable } from '#shared/domains/spiffe/federation'
import { isTrustDomainName } from '#shared/domains/spiffe/id'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import type { User } from '#shared/platform/principals/principal'
import type { Federation, FederationList, FederationRequest } from './federation.schema.ts'
import type { Ctx } from './group.ts'

type Out = z.input<typeof Federation>
const MAX_FEDERATIONS = 100

const toResponse = (row: FederatedBundle): Out => ({
  trust_domain: row.trustDomain,
  endpoint: row.endpoint,
  profile: row.profile,
  sequence: row.sequence,
  refresh_hint: row.hintSeconds,
  keys: Array.isArray(row.bundle?.keys) ? row.bundle.keys.length : 0,
  fetched_at: row.fetchedAt?.toISOString() ?? null,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const auditDetails = ({ endpoint, profile, sequence, keys }: Out) => ({ endpoint, profile, sequence, keys })
const target = (id: string) => ({ type: 'federated_bundle', id })

const invalid = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

/** Our own trust domains are never federated: their keys are known, and a bundle from elsewhere must not replace them. @throws AppError invalid_request */
const requireForeign = (ctx: Ctx, domain: string): void => {
  if (!isTrustDomainName(domain)) throw invalid('path.domain', 'is not a trust domain')
  if (parseUuid(domain) !== undefined || domain === ctx.config.SPIFFE_TRUST_DOMAIN)
    throw invalid('path.domain', 'is a trust domain of this deployment')
}

/**
 * Federates with a trust domain, or changes its endpoint. The bundle is fetched now, so that a wrong endpoint is known at once.
 * Events: federation.bundle_configured.
 * @throws AppError invalid_request, bundle_url_refused, bundle_unavailable, sequence_regressed, quota_exceeded
 */
export const configureFederation = async (ctx: Ctx, caller: User, domain: string, request: z.output<typeof FederationRequest>): Promise<Out> => {
  requireForeign(ctx, domain)
  if (typeof checkOutboundUrl(request.endpoint, ctx.outbound) === 'string')
    throw new AppError('bundle_url_refused', undefined, { field: 'body.endpoint' })
  const fetched = await fetchBundle(ctx, request.endpoint)
  return atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockFederatedBundle(t, domain)
    if (before !== undefined && isOlderBundle(before.sequence, fetched.sequence)) throw new AppError('sequence_regressed')
    if (before === undefined && (await listFederatedBundles(t, MAX_FEDERATIONS)).length >= MAX_FEDERATIONS) throw new AppError('quota_exceeded')
    const at = ctx.clock.now()
    const row = await putFederatedBundle(t, {
      trustDomain: domain,
      endpoint: request.endpoint,
      profile: request.profile,
      ...storable(fetched, at),
      createdAt: at,
      updatedAt: at,
    })
    const details = { ...(before === undefined ? {} : { before: auditDetails(toResponse(before)) }), after: auditDetails(toResponse(row)) }
    await recordEvent(t, ctx, { event: 'federation.bundle_configured', actor: byUser(caller), target: target(domain), ...details })
    return toResponse(row)
  })
}

export const showFederations = async (ctx: Ctx, caller: User): Promise<z.input<typeof FederationList>> => ({
  federations: (await listFederatedBundles(forTenant(ctx.db, caller.tenantId), MAX_FEDERATIONS)).map(toResponse),
})

/** @throws AppError not_found */
export const readFederation = async (ctx: Ctx, caller: User, domain: string): Promise<Out> => {
  const row = await findFederatedBundle(forTenant(ctx.db, caller.tenantId), domain)
  if (row === undefined) throw new AppError('not_found')
  return toResponse(row)
}

/** Events: federation.bundle_removed. @throws AppError not_found */
export const removeFederation = (ctx: Ctx, caller: User, domain: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockFederatedBundle(t, domain)
    if (before === undefined) throw new AppError('not_found')
    await deleteFederatedBundle(t, domain)
    const details = { before: auditDetails(toResponse(before)) }
    await recordEvent(t, ctx, { event: 'federation.bundle_removed', actor: byUser(caller), target: target(domain), ...details })
    return undefined
  })
