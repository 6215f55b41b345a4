// SVIDs for a workload that already has one, and their revocation by administrators.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findEntry, type RegistrationEntry } from '#db/store/registration-entries'
import { findSvid } from '#db/store/svids'
import { type IssuedToken, revokeSvidIn } from '#shared/domains/spiffe/issued'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { issueWitSvid } from '#shared/domains/spiffe/wit-svid'
import { type IssuedCertificate, issueX509Svid } from '#shared/domains/spiffe/x509-svid'
import { AppError } from '#shared/kernel/errors'
import { byUser, byWorkload } from '#shared/platform/audit/audit-log'
import type { User, Workload } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { JwtSvidRequest, TokenSvid, WitSvidRequest, X509Svid, X509SvidRequest } from './svids.schema.ts'

/** The entry of a workload. @throws AppError not_found when it was deleted meanwhile */
export const entryOfWorkload = async (ctx: Ctx, { tenantId, entryId, spiffeId }: Workload): Promise<RegistrationEntry> => {
  const entry = await findEntry(forTenant(ctx.db, tenantId), entryId)
  if (entry?.spiffeId !== spiffeId) throw new AppError('not_found')
  return entry
}

const issueFor = (caller: Workload) => ({ actor: byWorkload(caller.entryId), instanceId: caller.instanceId })

export const toTokenSvid = ({ id, spiffeId, token, expiresAt }: IssuedToken): z.input<typeof TokenSvid> => ({
  id,
  spiffe_id: spiffeId,
  svid: token,
  expires_at: expiresAt.toISOString(),
})

/** @throws AppError not_found, invalid_request, invalid_target */
export const jwtSvidFor = async (ctx: Ctx, caller: Workload, { audience, alg, seconds }: z.output<typeof JwtSvidRequest>) =>
  toTokenSvid(await issueJwtSvid(ctx, await entryOfWorkload(ctx, caller), { ...issueFor(caller), audience, alg, seconds }))

export const toX509Svid = ({ id, spiffeId, certificate, bundle, expiresAt }: IssuedCertificate): z.input<typeof X509Svid> => ({
  id,
  spiffe_id: spiffeId,
  certificate,
  bundle,
  expires_at: expiresAt.toISOString(),
})

/** @throws AppError not_found, invalid_request */
export const x509SvidFor = async (ctx: Ctx, caller: Workload, { csr, seconds }: z.output<typeof X509SvidRequest>) =>
  toX509Svid(await issueX509Svid(ctx, await entryOfWorkload(ctx, caller), { ...issueFor(caller), csr, seconds }))

/** @throws AppError not_found, invalid_request */
export const witSvidFor = async (ctx: Ctx, caller: Workload, { jwk, seconds }: z.output<typeof WitSvidRequest>) =>
  toTokenSvid(await issueWitSvid(ctx, await entryOfWorkload(ctx, caller), { ...issueFor(caller), jwk, seconds }))

/** Revoking twice is not an error. @throws AppError not_found */
export const revokeSvidOfTenant = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if ((await findSvid(t, id)) === undefined) throw new AppError('not_found')
    await revokeSvidIn(t, ctx, id, 'revoked_by_administrator', byUser(caller))
    return undefined
  })
