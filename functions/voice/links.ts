// Links between a speaker of a voice platform and a person. Only the person creates or removes them.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findUser, lockUser, type User as UserRow } from '#db/store/users'
import { deleteVoiceLinks, findVoiceLink, findVoiceLinks, insertVoiceLink, type VoiceLink } from '#db/store/voice'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import { notify } from '#shared/domains/notifications/notify'
import { requireRecentSignIn } from '#shared/domains/sign-in/recent-sign-in'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { LinkVoice, UnlinkVoice, VoiceLinked, VoiceLinks, VoiceUnlinked } from './links.schema.ts'

const MOST_LINKS = 20
const MOST_NAME = 100
/** Links made before the person's sign-ins were last ended no longer count. */
const isLive = (known: VoiceLink, user: UserRow | undefined): boolean => user !== undefined && user.validFrom <= known.linkedAt

/** A link allows sign-in, so adding one needs a recent sign-in. */
const RECENT_SECONDS = 15 * 60

/** @throws AppError insufficient_user_authentication, forbidden, conflict */
export const linkVoice = async (ctx: Ctx, caller: User, body: z.output<typeof LinkVoice>): Promise<z.input<typeof VoiceLinked>> => {
  requireRecentSignIn(ctx, caller, RECENT_SECONDS)
  if (body.link_method === 'admin_linked' && !hasPermission(caller, 'admin:access'))
    throw new AppError('forbidden', undefined, { field: 'body.link_method' })
  const linked = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const id = ctx.random.id()
    // Locks the person's row, so that concurrent requests count each other's links.
    const user = await lockUser(t, caller.userId)
    const known = await findVoiceLink(t, body.voice_platform, body.voice_user_id)
    if (known?.userId === caller.userId && !isLive(known, user)) await deleteVoiceLinks(t, caller.userId, body.voice_platform, body.voice_user_id)
    if ((await findVoiceLinks(t, caller.userId)).length >= MOST_LINKS)
      throw new AppError('conflict', 'You have reached the maximum number of linked voice accounts.')
    const linkMethod = body.link_method ?? 'browser_verification'
    const added = await insertVoiceLink(t, {
      id,
      userId: caller.userId,
      voicePlatform: body.voice_platform,
      voiceUserId: body.voice_user_id,
      voiceUserName: plainText(body.voice_user_name ?? '', MOST_NAME) ?? null,
      linkMethod,
      linkedAt: ctx.clock.now(),
    })
    if (!added) {
      const own = known?.userId === caller.userId ? { link_id: known.id } : {}
      return { success: false, message: 'This voice account is already linked.', ...own }
    }
    const after = { voice_platform: body.voice_platform, link_method: linkMethod }
    await recordEvent(t, ctx, { event: 'voice.linked', actor: byUser(caller), target: { type: 'voice_link', id }, after })
    await notify(t, ctx, { to: caller.email, subjectId: caller.userId, template: 'factor_added', data: { kind: 'voice', name: body.voice_platform } })
    return { success: true, message: 'The voice account is linked.', link_id: id }
  })
  ctx.wakeOutbox()
  return linked
}

/** Without a speaker, removes all of the caller's links on that platform. */
export const unlinkVoice = async (ctx: Ctx, caller: User, body: z.output<typeof UnlinkVoice>): Promise<z.input<typeof VoiceUnlinked>> => {
  const gone = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const ids = await deleteVoiceLinks(t, caller.userId, body.voice_platform, body.voice_user_id)
    for (const id of ids) await recordEvent(t, ctx, { event: 'voice.unlinked', actor: byUser(caller), target: { type: 'voice_link', id } })
    const data = { kind: 'voice', name: body.voice_platform, by: 'owner' } as const
    if (ids.length > 0) await notify(t, ctx, { to: caller.email, subjectId: caller.userId, template: 'factor_removed', data })
    return ids
  })
  ctx.wakeOutbox()
  return gone.length === 0 ? { success: false, message: 'The link was not found.' } : { success: true, message: 'The voice account is unlinked.' }
}

export const showVoiceLinks = async (ctx: Ctx, caller: User): Promise<z.input<typeof VoiceLinks>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const [user, rows] = [await findUser(t, caller.userId), await findVoiceLinks(t, caller.userId)]
  return {
    links: rows.map((row) => ({
      id: row.id,
      voice_platform: row.voicePlatform,
      ...(row.voiceUserName === null ? {} : { voice_user_name: row.voiceUserName }),
      is_active: isLive(row, user),
      ...(row.lastUsedAt === null ? {} : { last_used_at: row.lastUsedAt.toISOString() }),
      linked_at: row.linkedAt.toISOString(),
    })),
  }
}
