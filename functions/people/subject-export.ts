// Export and erasure of all data of one person. Erasure keeps the audit events and destroys the key that decrypts them.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import type { AuditRow } from '#db/store/audit-events'
import { findDataKey } from '#db/store/data-keys'
import { findGroupsOfPerson } from '#db/store/groups'
import { listIdentities } from '#db/store/identities'
import { endLoginTransactions } from '#db/store/login-transactions'
import { listConsents } from '#db/store/oauth-authorizations'
import { lockUser } from '#db/store/people'
import {
  deleteVoiceSessionsOf,
  deleteWaitingMessagesOf,
  findDevicesOfPerson,
  findEventsOfPerson,
  findFactorsOfPerson,
  findSessionsOfPerson,
} from '#db/store/person-data'
import { findPushDevices } from '#db/store/push-devices'
import { findRolesOfPeople } from '#db/store/rights'
import { findLivePermissions, type User as UserRow } from '#db/store/users'
import { findVoiceLinks } from '#db/store/voice'
import { requirePerson } from '#shared/domains/administration/people'
import { openDetails } from '#shared/domains/audit/details'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { deletePersonRow, requireRemovable } from '#shared/domains/authority/person-status'
import { codeLockOf } from '#shared/domains/sign-up/code'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { SealError } from '#shared/platform/crypto/seal'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { PersonErased, PersonExport } from './people.schema.ts'
import { toPersonResponse } from './people.ts'

const MOST_EVENTS = 10_000
const MOST_CONSENTS = 1000
const EVENTS_A_STEP = 500
const iso = (at: Date | null): string | null => at?.toISOString() ?? null

type Details = Readonly<Record<string, unknown>>
const withoutSalt = ({ salt: _salt, ...details }: Details): Details => details
/** A damaged event is logged and skipped, so that the other events stay available to the person. */
const opened = async (ctx: Ctx, t: TenantDb, row: AuditRow): Promise<Details | undefined> => {
  try {
    const plain = await openDetails(ctx, t, row)
    return plain === undefined ? undefined : withoutSalt(JSON.parse(plain))
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    ctx.log.error('audit_event_damaged', error, { tenant_id: t.tenantId, event_id: row.id })
    return undefined
  }
}
/** Removes the network origin if another person acted, because it is that person's data. */
const withoutOrigin = ({ address: _address, user_agent: _agent, ...rest }: Details): Details => rest

/** Returns details only of events about the person: an event that the person caused may contain another person's data. */
const shownEvent = async (ctx: Ctx, t: TenantDb, row: AuditRow, userId: string): Promise<z.input<typeof PersonExport>['events'][number]> => {
  const plain = row.subjectId === userId ? await opened(ctx, t, row) : undefined
  const isOwn = row.actorId === null || row.actorId === userId || row.onBehalfOf === userId
  return {
    id: row.id,
    at: row.at.toISOString(),
    event: row.event,
    outcome: row.outcome,
    by_person: row.actorId === userId,
    details: plain === undefined ? null : isOwn ? plain : withoutOrigin(plain),
  }
}

const eventsOf = async (ctx: Ctx, t: TenantDb, userId: string): Promise<z.input<typeof PersonExport>['events']> => {
  const events: z.input<typeof PersonExport>['events'] = []
  for (let before: string | undefined; events.length < MOST_EVENTS; ) {
    const rows = await findEventsOfPerson(t, userId, before, EVENTS_A_STEP)
    for (const row of rows) events.push(await shownEvent(ctx, t, row, userId))
    before = rows.at(-1)?.id
    if (rows.length < EVENTS_A_STEP) break
  }
  return events
}

/** Devices and voice accounts that act in the person's name. */
const answering = async (t: TenantDb, userId: string): Promise<Pick<z.input<typeof PersonExport>, 'push_devices' | 'voice_links'>> => ({
  push_devices: (await findPushDevices(t, userId)).map((row) => ({
    platform: row.platform,
    name: row.deviceName,
    model: row.deviceModel,
    last_used_at: iso(row.lastUsedAt),
    created_at: row.createdAt.toISOString(),
  })),
  voice_links: (await findVoiceLinks(t, userId)).map((row) => ({
    platform: row.voicePlatform,
    // Knowing the whole id is part of a sign-in by voice.
    voice_user_id: `\u2026${row.voiceUserId.slice(-4)}`,
    name: row.voiceUserName,
    last_used_at: iso(row.lastUsedAt),
    linked_at: row.linkedAt.toISOString(),
  })),
})

/** @throws AppError not_found */
export const exportPerson = async (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof PersonExport>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const user = await requirePerson(t, userId)
  const now = ctx.clock.now()
  await atomically(t, (tx) =>
    recordEvent(tx, ctx, { event: 'user.exported', actor: byUser(caller), target: { type: 'user', id: userId }, subjectId: caller.userId }),
  )
  const [sessions, factors] = [await findSessionsOfPerson(t, userId), await findFactorsOfPerson(t, userId)]
  return {
    format: 'authsec.person.v1',
    exported_at: now.toISOString(),
    person: toPersonResponse(user),
    language: user.language,
    roles: [...((await findRolesOfPeople(t, [userId], now)).get(userId) ?? [])],
    groups: (await findGroupsOfPerson(t, userId)).map(({ id, name }) => ({ id, name })),
    permissions: await findLivePermissions(t, userId, now),
    factors: factors.map((row) => ({
      id: row.id,
      kind: row.kind,
      name: row.name,
      phone: row.phone,
      created_at: row.createdAt.toISOString(),
      confirmed_at: iso(row.confirmedAt),
    })),
    sessions: sessions.map((row) => ({
      id: row.id,
      created_at: row.createdAt.toISOString(),
      last_seen_at: row.lastSeenAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
      revoked_at: iso(row.revokedAt),
      address: row.address,
      user_agent: row.userAgent,
      amr: row.amr,
    })),
    devices: (await findDevicesOfPerson(t, userId)).map((row) => ({ last_used_at: row.lastUsedAt.toISOString() })),
    identities: (await listIdentities(t, userId)).map((row) => ({
      provider: row.provider,
      issuer: row.issuer,
      subject: row.subject,
      email: row.email,
      profile: row.profile === null ? null : { ...row.profile },
      last_login_at: iso(row.lastLoginAt),
      created_at: row.createdAt.toISOString(),
    })),
    ...(await answering(t, userId)),
    consents: (await listConsents(t, userId, { sort: 'updated_at', descending: true, limit: MOST_CONSENTS })).map((row) => ({
      client_id: row.clientId,
      client_name: row.clientName,
      resource: row.resource,
      scopes: row.scopes,
      created_at: row.createdAt.toISOString(),
    })),
    events: await eventsOf(ctx, t, userId),
  }
}

const endPerson = async (t: TenantTx, ctx: Ctx, grantable: GrantorPermissions, user: UserRow): Promise<Record<string, number>> => {
  await endLoginTransactions(t, user.id, ctx.clock.now())
  await requireRemovable(t, user)
  await requireRightsOver(t, ctx, grantable, user.id)
  await deleteVoiceSessionsOf(t, user.id)
  const counts = await deletePersonRow(t, ctx, user)
  await deleteWaitingMessagesOf(t, user.id, user.email, codeLockOf(ctx, 'user_reset', user.email).addressHash)
  return counts
}

/** For a person who was already deleted, only the key of the audit details is left to destroy. @throws AppError not_found if there is none */
const requireTraces = async (t: TenantTx, userId: string): Promise<Record<string, number>> => {
  if (userId === t.tenantId || (await findDataKey(t, userId)) === undefined) throw new AppError('not_found')
  return {}
}

/**
 * Erases a person, also one who was already deleted: the row and its dependents, changes waiting for the mailbox, queued mails (sealed under the person's
 * key), and the key itself, so that personal details in the audit log become unreadable. The events themselves are unchanged.
 * @throws AppError not_found, forbidden, primary_administrator, last_administrator, last_active_user, cannot_grant
 */
export const erasePerson = (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof PersonErased>> => {
  if (userId === caller.userId) throw new AppError('forbidden', 'You cannot erase yourself; another administrator must do it.')
  return actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const user = await lockUser(t, userId)
    const counts = user === undefined ? await requireTraces(t, userId) : await endPerson(t, ctx, grantable, user)
    await ctx.keyring.destroy(t, userId)
    await recordEvent(t, ctx, {
      event: 'user.erased',
      actor: byUser(caller),
      target: { type: 'user', id: userId },
      subjectId: caller.userId,
      after: { deleted: counts },
    })
    return { user_id: userId, deleted_counts: counts }
  })
}
