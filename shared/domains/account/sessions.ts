// A person's own sessions: list them, end one, end the others, sign out.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findSessions, revokeSession, revokeSessions } from '#db/store/sessions'
import type { RequestCtx as Ctx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import { deviceName } from '#shared/platform/outbox/mail/device-name'
import type { MailLanguage } from '#shared/platform/outbox/mail/language'
import type { User } from '#shared/platform/principals/principal'
import type { AccountSessions } from './sessions.schema.ts'

/** Active sessions, newest first, with device names in `language`. */
export const listSessions = async (ctx: Ctx, caller: User, language: MailLanguage = 'en'): Promise<z.input<typeof AccountSessions>> => {
  const rows = await findSessions(forTenant(ctx.db, caller.tenantId), caller.userId, ctx.clock.now())
  return {
    sessions: rows.map((row) => ({
      id: row.id,
      current: row.id === caller.sessionId,
      device: deviceName(row.userAgent, language),
      address: row.address,
      place: row.place,
      amr: row.amr,
      acr: row.acr,
      auth_time: row.authTime.toISOString(),
      created_at: row.createdAt.toISOString(),
      last_seen_at: row.lastSeenAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
    })),
  }
}

const revoke = async (ctx: Ctx, caller: User, sessionId: string, reason: string, event: AuditEvent): Promise<boolean> => {
  const ended = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!(await revokeSession(t, caller.userId, sessionId, ctx.clock.now(), reason))) return false
    await recordEvent(t, ctx, { event, actor: byUser(caller), target: { type: 'session', id: sessionId } })
    return true
  })
  // The outbox delivers back-channel logout to clients.
  if (ended) ctx.wakeOutbox()
  return ended
}

/** @throws AppError not_found when the session is not the caller's or has ended */
export const endSession = async (ctx: Ctx, caller: User, sessionId: string): Promise<undefined> => {
  if (!(await revoke(ctx, caller, sessionId, 'ended_by_owner', 'session.revoked'))) throw new AppError('not_found')
  return undefined
}

export const signOut = async (ctx: Ctx, caller: User): Promise<undefined> => {
  await revoke(ctx, caller, caller.sessionId, 'signed_out', 'user.signed_out')
  return undefined
}

/** Ends all other sessions and notifies the person by mail. */
export const endOtherSessions = async (ctx: Ctx, caller: User): Promise<{ revoked: number }> => {
  const ended = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const ids = await revokeSessions(t, caller.userId, ctx.clock.now(), 'ended_by_owner', caller.sessionId)
    if (ids.length === 0) return ids
    await recordEvent(t, ctx, {
      event: 'sessions.revoked',
      actor: byUser(caller),
      target: { type: 'user', id: caller.userId },
      after: { sessions: ids },
    })
    await notify(t, ctx, { to: caller.email, subjectId: caller.userId, template: 'session_revoked_all', data: { by: 'owner' } })
    return ids
  })
  ctx.wakeOutbox()
  return { revoked: ended.length }
}
