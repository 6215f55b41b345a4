// What a person allowed clients: to list, and to take back. A consent ends with every authorization and token family below it.
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { deleteConsent, listConsents } from '#db/store/oauth-authorizations'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'

const MOST_LISTED = 500

export type PersonConsent = Awaited<ReturnType<typeof listConsents>>[number]

/** The newest first. */
export const consentsOf = (ctx: Pick<RequestCtx, 'db'>, { tenantId, userId }: User): Promise<readonly PersonConsent[]> =>
  listConsents(forTenant(ctx.db, tenantId), userId, { sort: 'updated_at', descending: true, limit: MOST_LISTED })

/** @throws AppError not_found when it is not the caller's */
const endConsent = async (t: TenantTx, ctx: RequestCtx, caller: User, id: string): Promise<void> => {
  const row = await deleteConsent(t, id, caller.userId)
  if (row === undefined) throw new AppError('not_found')
  await recordEvent(t, ctx, {
    event: 'oauth.grant_revoked',
    actor: byUser(caller),
    target: { type: 'client', id: row.clientId },
    before: { grant_id: id, scopes: row.scopes },
  })
}

/** Ends one consent: its tokens are revoked. Routes that call this emit `oauth.grant_revoked`. @throws AppError not_found when it is not the caller's */
export const revokeConsent = (ctx: RequestCtx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await endConsent(t, ctx, caller, id)
    return undefined
  })

/** Ends all consents of the caller for a client. Routes that call this emit `oauth.grant_revoked`. @throws AppError not_found when there are none */
export const removeApplication = async (ctx: RequestCtx, caller: User, clientId: string): Promise<void> => {
  const own = (await consentsOf(ctx, caller)).filter((consent) => consent.clientId === clientId)
  if (own.length === 0) throw new AppError('not_found')
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    for (const { id } of own) await endConsent(t, ctx, caller, id)
  })
}
