// A person's own identities at external providers: list and disconnect. The last sign-in method cannot be removed.
import type * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { deleteIdentities, type Identity, listIdentities } from '#db/store/identities'
import { revokeAuthorizationsOf, revokeSessions } from '#db/store/sessions'
import { findFactorKinds, lockUser } from '#db/store/users'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvents } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { Identities, IdentityOut, UnlinkedIdentity } from './identities.schema.ts'

const toResponse = (row: Identity): z.input<typeof IdentityOut> => ({
  id: row.id,
  tenant_id: row.tenantId,
  user_id: row.userId,
  provider_name: row.provider,
  provider_user_id: row.subject,
  ...(row.email === null ? {} : { email: row.email }),
  ...(row.profile === null ? {} : { profile_data: { ...row.profile } }),
  ...(row.lastLoginAt === null ? {} : { last_login_at: row.lastLoginAt.toISOString() }),
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

export const showIdentities = async (ctx: Ctx, caller: User): Promise<z.input<typeof Identities>> => ({
  identities: (await listIdentities(forTenant(ctx.db, caller.tenantId), caller.userId)).map(toResponse),
})

/** Runs under a lock on the person's row, so that concurrent requests cannot remove the last two methods. @throws AppError last_sign_in_method */
const requireAnotherWay = async (t: TenantTx, userId: string): Promise<void> => {
  const user = await lockUser(t, userId)
  const [left, kinds] = [await listIdentities(t, userId), await findFactorKinds(t, userId)]
  if ((user?.passwordHash ?? null) !== null || left.length > 0 || kinds.includes('webauthn')) return
  throw new AppError('last_sign_in_method')
}

/** Removes all identities of a provider. Every other session ends, because it may have begun with the provider. @throws AppError identity_not_linked, last_sign_in_method */
export const unlinkIdentity = async (ctx: Ctx, caller: User, provider: string): Promise<z.input<typeof UnlinkedIdentity>> => {
  const { userId } = caller
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const user = await lockUser(t, userId)
    const gone = await deleteIdentities(t, userId, provider)
    if (gone.length === 0 || user === undefined) throw new AppError('identity_not_linked')
    await requireAnotherWay(t, userId)
    const ended = await revokeSessions(t, userId, ctx.clock.now(), 'identity_unlinked', caller.sessionId)
    await revokeAuthorizationsOf(t, userId, ctx.clock.now(), 'identity_unlinked', caller.sessionId)
    await notify(t, ctx, { to: user.email, subjectId: userId, template: 'provider_sign_in', data: { change: 'unlinked', provider } })
    await recordEvents(
      t,
      ctx,
      gone.map(({ id, issuer, subject }) => ({
        event: 'identity.unlinked',
        actor: byUser(caller),
        target: { type: 'identity', id },
        subjectId: userId,
        before: { provider, issuer, subject },
        after: { ended_sessions: ended.length },
      })),
    )
  })
  ctx.wakeOutbox()
  return { message: 'The sign-in is no longer connected with your account.' }
}
