// Renews JWT-SVIDs: the old token ends with the new one, and a series of renewals ends a day after its first token.
import { forTenant } from '#db/engine/tenant'
import { findEntry } from '#db/store/registration-entries'
import { findUser } from '#db/store/users'
import { AppError } from '#shared/kernel/errors'
import { byWorkload } from '#shared/platform/audit/audit-log'
import type { IssueCtx, IssuedToken } from './issued.ts'
import { customClaims, issueJwtSvid } from './jwt-svid.ts'
import { type VerifiedSvid, verifyJwtSvid } from './verify.ts'

/** Claims that the service computed for a delegated token, kept while the person who delegated may still do so. */
const OF_DELEGATION = ['user_id', 'delegated_by', 'act', 'client_id', 'agent_type', 'email', 'tenant_id', 'workspace_id']

/** @throws AppError invalid_token when the person who delegated is gone, or was stopped since */
const claimsOfSeries = async (ctx: IssueCtx, { tenantId, claims, state }: VerifiedSvid): Promise<Readonly<Record<string, unknown>>> => {
  const { delegated_by: delegatedBy } = claims
  if (typeof delegatedBy !== 'string') return customClaims(claims)
  const person = await findUser(forTenant(ctx.db, tenantId), delegatedBy)
  if (person === undefined || !person.active || person.validFrom > state.firstIssuedAt) throw new AppError('invalid_token')
  return { ...customClaims(claims), ...Object.fromEntries(OF_DELEGATION.flatMap((name) => (name in claims ? [[name, claims[name]]] : []))) }
}

/** Events: svid.issued, svid.revoked. @throws AppError invalid_token */
export const renewJwtSvid = async (ctx: IssueCtx, token: string): Promise<IssuedToken> => {
  const verified = await verifyJwtSvid(ctx, token)
  if (verified === undefined) throw new AppError('invalid_token')
  const { tenantId, state } = verified
  const entry = await findEntry(forTenant(ctx.db, tenantId), state.entryId)
  if (entry === undefined) throw new AppError('invalid_token')
  try {
    return await issueJwtSvid(ctx, entry, {
      audience: verified.audience,
      alwaysAllowed: verified.audience,
      issuer: verified.issuer,
      claims: await claimsOfSeries(ctx, verified),
      seconds: Math.round((state.expiresAt.getTime() - state.issuedAt.getTime()) / 1000),
      ...(state.instanceId === null ? {} : { instanceId: state.instanceId }),
      actor: byWorkload(state.entryId),
      series: { firstIssuedAt: state.firstIssuedAt, replaces: state.id },
    })
  } catch (error) {
    // The entry ended meanwhile.
    if (error instanceof AppError && error.code === 'not_found') throw new AppError('invalid_token', undefined, {}, error)
    throw error
  }
}
