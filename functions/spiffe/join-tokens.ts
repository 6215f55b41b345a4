// Join tokens: secrets with which one workload each joins, once.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findAttestor } from '#db/store/attestors'
import { countUsableJoinTokens, deleteJoinToken, insertJoinToken, type JoinToken, listJoinTokens } from '#db/store/join-tokens'
import { pageReply, toPage } from '#shared/domains/administration/page'
import { requireFullRole } from '#shared/domains/authority/access-change'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CreatedJoinToken, JoinTokenOut, JoinTokensQuery, NewJoinToken } from './join-tokens.schema.ts'

const MAX_USABLE = 1000
const SORT = '-created_at'

const toResponse = (row: JoinToken): z.input<typeof JoinTokenOut> => ({
  id: row.id,
  attestor_id: row.attestorId,
  entry_id: row.entryId,
  description: row.description,
  selector: `join:id:${row.id}`,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
  used_at: row.usedAt?.toISOString() ?? null,
  used_jkt: row.usedJkt,
})
const target = (id: string) => ({ type: 'join_token', id })

/**
 * Its holder becomes a workload of the tenant, so creating one needs the whole administrator role.
 * @throws AppError invalid_request, quota_exceeded, cannot_grant
 */
export const createJoinToken = (ctx: Ctx, caller: User, request: z.output<typeof NewJoinToken>): Promise<z.input<typeof CreatedJoinToken>> =>
  actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    requireFullRole(grantable, 'make a token with which a process becomes a workload of the tenant')
    const attestor = await findAttestor(t, request.attestor_id)
    if (attestor?.kind !== 'join_token')
      throw new AppError('invalid_request', 'attestor_id must be an attestor of kind join_token.', { field: 'body.attestor_id' })
    const [token, at] = [randomToken(ctx.random), ctx.clock.now()]
    if ((await countUsableJoinTokens(t, at)) >= MAX_USABLE) throw new AppError('quota_exceeded')
    const row = await insertJoinToken(t, {
      id: ctx.random.id(),
      hash: sha256(token),
      attestorId: attestor.id,
      entryId: request.entry_id ?? null,
      description: request.description,
      createdBy: caller.userId,
      createdAt: at,
      expiresAt: secondsAfter(at, request.expires_in),
    })
    await recordEvent(t, ctx, { event: 'join_token.created', actor: byUser(caller), target: target(row.id), after: { ...toResponse(row) } })
    return { ...toResponse(row), token }
  })

export const showJoinTokens = async (ctx: Ctx, caller: User, query: z.output<typeof JoinTokensQuery>) => {
  const rows = await listJoinTokens(forTenant(ctx.db, caller.tenantId), toPage<'created_at'>(query, SORT))
  return pageReply(
    query,
    SORT,
    rows,
    (row) => row.createdAt,
    (page) => page.map(toResponse),
  )
}

/** A workload that joined with it stays. @throws AppError not_found */
export const removeJoinToken = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const row = await deleteJoinToken(t, id)
    if (row === undefined) throw new AppError('not_found')
    await recordEvent(t, ctx, { event: 'join_token.deleted', actor: byUser(caller), target: target(id), before: { ...toResponse(row) } })
    return undefined
  })
