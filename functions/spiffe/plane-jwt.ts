// JWT-SVIDs in AuthSec's identity plane: the issuer is the trust domain.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { findEntryBySpiffeId, type RegistrationEntry } from '#db/store/registration-entries'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { MAX_SVID_SECONDS } from '#shared/domains/spiffe/entries'
import { parseSpiffeId, tenantOfSpiffeId, trustDomainName } from '#shared/domains/spiffe/id'
import type { IssuedToken } from '#shared/domains/spiffe/issued'
import { customClaims, issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { renewJwtSvid } from '#shared/domains/spiffe/renewal'
import { verifyJwtSvid } from '#shared/domains/spiffe/verify'
import { AppError } from '#shared/kernel/errors'
import { byUser, byWorkload } from '#shared/platform/audit/audit-log'
import type { User, Workload } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { DelegatedJwtRequest, PlaneJwt, PlaneJwtRequest, ValidateRequest, Validation } from './plane-jwt.schema.ts'
import { entryOfWorkload } from './svids.ts'

const DEFAULT_SECONDS = 3600

export const planeIssuer = (tenantId: TenantId): string => `spiffe://${trustDomainName(tenantId)}`
const ofTenant = (tenantId: TenantId) => ({ tenant_id: tenantId, workspace_id: tenantId })

const toResponse = ({ spiffeId, token, expiresAt }: IssuedToken): z.input<typeof PlaneJwt> => ({
  spiffe_id: spiffeId,
  token,
  expires_at: expiresAt.toISOString(),
})

/** @throws AppError forbidden, not_found, invalid_request, invalid_target */
export const issueForWorkload = async (ctx: Ctx, caller: Workload, request: z.output<typeof PlaneJwtRequest>): Promise<z.input<typeof PlaneJwt>> => {
  if (request.spiffe_id !== undefined && request.spiffe_id !== caller.spiffeId) throw new AppError('forbidden')
  const issued = await issueJwtSvid(ctx, await entryOfWorkload(ctx, caller), {
    audience: request.audience,
    issuer: planeIssuer(caller.tenantId),
    seconds: request.ttl || DEFAULT_SECONDS,
    claims: { ...customClaims(request.custom_claims), ...ofTenant(caller.tenantId) },
    instanceId: caller.instanceId,
    actor: byWorkload(caller.entryId),
  })
  return toResponse(issued)
}

/** Its holder acts as the workload, so the caller needs every right of the agent for which it stands. @throws AppError cannot_grant, not_found */
const requireRightsOverEntry = async (ctx: Ctx, caller: User, { agentId }: RegistrationEntry): Promise<void> => {
  if (agentId === null) return
  await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const client = await findClient(t, agentId)
    if (client === undefined) throw new AppError('not_found')
    await requireRightsOverClient(t, ctx, grantable, client)
  })
}

/** @throws AppError forbidden, not_found, cannot_grant, invalid_request, invalid_target */
export const issueDelegated = async (ctx: Ctx, caller: User, request: z.output<typeof DelegatedJwtRequest>): Promise<z.input<typeof PlaneJwt>> => {
  const id = parseSpiffeId(request.spiffe_id)
  if (id === undefined) throw new AppError('invalid_request', 'body.spiffe_id: is not a SPIFFE id', { field: 'body.spiffe_id' })
  if (tenantOfSpiffeId(ctx.config, id) !== caller.tenantId) throw new AppError('forbidden')
  const entry = await findEntryBySpiffeId(forTenant(ctx.db, caller.tenantId), request.spiffe_id)
  if (entry === undefined) throw new AppError('not_found')
  await requireRightsOverEntry(ctx, caller, entry)
  const accepted = ctx.config.AUTHSEC_SPIFFE_AUDIENCE
  const issued = await issueJwtSvid(ctx, entry, {
    audience: request.audience === undefined || request.audience.length === 0 ? accepted : request.audience,
    alwaysAllowed: accepted,
    issuer: planeIssuer(caller.tenantId),
    seconds: request.ttl || MAX_SVID_SECONDS,
    claims: {
      ...customClaims(request.custom_claims),
      ...ofTenant(caller.tenantId),
      user_id: caller.userId,
      delegated_by: caller.userId,
      act: { sub: entry.spiffeId, ...(entry.agentId === null ? {} : { client_id: entry.agentId }) },
    },
    actor: byUser(caller),
  })
  return toResponse(issued)
}

/** One answer for every cause, so that it reveals nothing about tokens of others. */
const INVALID = { valid: false } as const
const asTime = (seconds: unknown): string => new Date(Number(seconds) * 1000).toISOString()
const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [])

export const validateJwt = async (
  ctx: Ctx,
  { token, tenant_id, audience }: z.output<typeof ValidateRequest>,
): Promise<z.input<typeof Validation>> => {
  const verified = await verifyJwtSvid(ctx, token)
  if (verified === undefined || (tenant_id !== undefined && tenant_id !== verified.tenantId)) return INVALID
  if (audience !== undefined && !verified.audience.includes(audience)) return INVALID
  const { spiffeId, tenantId, claims } = verified
  return {
    valid: true,
    spiffe_id: spiffeId,
    sub: spiffeId,
    tenant_id: tenantId,
    permissions: textsIn(claims.permissions),
    audience: [...verified.audience],
    claims: { ...claims },
    expires_at: asTime(claims.exp),
    issued_at: asTime(claims.iat),
  }
}

/** @throws AppError invalid_token */
export const renewJwt = async (ctx: Ctx, token: string): Promise<z.input<typeof PlaneJwt>> => toResponse(await renewJwtSvid(ctx, token))
