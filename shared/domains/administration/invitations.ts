// Invitations of administrators: a person without a password, and a one-time link to choose one.
import type * as z from 'zod'
import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { hasClient } from '#db/store/groups'
import { endLoginTransactions } from '#db/store/login-transactions'
import { findPendingInvitations, isUsernameTaken, lockUser } from '#db/store/people'
import { hasProject } from '#db/store/projects'
import { findRoleByName } from '#db/store/roles'
import { findUserByEmail, insertUser, isInvitationPending, type User as UserRow, updateUser } from '#db/store/users'
import { administratorRole, guardAdministrators, requireRoleGrantable } from '#shared/domains/authority/access-change'
import { actInTenant, actingTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { deletePersonRow } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { InvitationCancelled, InviteBody, Invited, InvitedUser, PendingInvites, Reinvited } from './invitations.schema.ts'
import { MAX_ROWS, requireTenant } from './people.ts'
import { TEMPORARY_SECONDS, temporaryPassword } from './temporary-password.ts'

/** However often it is sent again, an invitation ends. */
const LAPSES_AFTER_SECONDS = 30 * 24 * 3600
const HOUR = 3600
const SENT_PER_HOUR = 3
const INVITATIONS_PER_HOUR = 100

/** How the person gets in: by a mailed link, or by a password that the inviter hands over because no mail can go out. */
type Way = { readonly emailSent: true } | { readonly emailSent: false; readonly password: string; readonly passwordHash: string }

const wayIn = async (ctx: RequestCtx, tenantId: TenantId): Promise<Way> => {
  if (await ctx.quotas.allows(tenantId, 'mailsPerHour')) return { emailSent: true }
  const password = temporaryPassword(ctx.random)
  return { emailSent: false, password, passwordHash: await ctx.passwords.hash(password) }
}

const send = (t: TenantTx, ctx: RequestCtx, caller: User, user: Pick<UserRow, 'id' | 'email'>): Promise<void> =>
  mailSetPasswordLink(t, ctx, { userId: user.id, email: user.email, purpose: 'invitation', invitedBy: caller.email, hours: TEMPORARY_SECONDS / HOUR })

type Body = z.output<typeof InviteBody>

/** @throws AppError invalid_request, email_taken, username_taken, quota_exceeded; then nothing has changed */
const addInvited = async (t: TenantTx, ctx: RequestCtx, caller: User, body: Body, way: Way): Promise<UserRow> => {
  const at = ctx.clock.now()
  if ((await findUserByEmail(t, body.email)) !== undefined) throw new AppError('email_taken', undefined, { field: 'body.email' })
  if (await isUsernameTaken(t, body.username)) throw new AppError('username_taken', undefined, { field: 'body.username' })
  if (body.client_id !== undefined && !(await hasClient(t, body.client_id)))
    throw new AppError('invalid_request', 'There is no such client.', { field: 'body.client_id' })
  if (body.project_id !== undefined && !(await hasProject(t, body.project_id)))
    throw new AppError('invalid_request', 'There is no such project.', { field: 'body.project_id' })
  const tenant = await requireTenant(t)
  if (body.tenant_domain !== undefined && body.tenant_domain !== tenant.domain)
    throw new AppError('invalid_request', 'An administrator has the domain of the tenant.', { field: 'body.tenant_domain' })
  await consumeQuota(t, tenant.settings, 'users')
  const id = ctx.random.id()
  const added = await insertUser(t, {
    id,
    clientId: body.client_id ?? null,
    projectId: body.project_id ?? null,
    email: body.email,
    name: [body.first_name, body.last_name].filter(Boolean).join(' ') || body.username,
    username: body.username,
    passwordHash: way.emailSent ? null : way.passwordHash,
    temporaryPassword: true,
    temporaryPasswordExpiresAt: secondsAfter(at, TEMPORARY_SECONDS),
    invitedBy: caller.userId,
    announcedAt: at,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  })
  const user = added ? await findUserByEmail(t, body.email) : undefined
  if (user === undefined) throw new AppError('email_taken', undefined, { field: 'body.email' })
  return user
}

/**
 * Invites an administrator into the caller's tenant, or into the one that a platform administrator names: in silence it would be the platform's own. Inviting
 * grants the whole role, so it takes the whole role.
 * @throws AppError email_taken, username_taken, quota_exceeded, cannot_grant, rate_limited
 */
export const invite = async (ctx: RequestCtx, caller: User, body: Body): Promise<z.input<typeof Invited>> => {
  await ctx.limits.check([{ key: `invite:${caller.userId}`, windowSeconds: HOUR, max: INVITATIONS_PER_HOUR, guardsCredential: false }])
  const tenantId = actingTenant(caller, body.tenant_id)
  const way = await wayIn(ctx, tenantId)
  const user = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const role = await findRoleByName(t, administratorRole(t.tenantId))
    if (role === undefined) throw new AppError('not_found')
    await requireRoleGrantable(t, grantable, role)
    const invited = await addInvited(t, ctx, caller, body, way)
    await guardAdministrators(t, ctx, () =>
      bindRole(t, { id: ctx.random.id(), roleId: role.id, userId: invited.id, createdBy: caller.userId, at: ctx.clock.now() }),
    )
    if (way.emailSent) await send(t, ctx, caller, invited)
    await recordEvent(t, ctx, {
      event: 'user.invited',
      actor: byUser(caller),
      target: { type: 'user', id: invited.id },
      subjectId: invited.id,
      after: { email: invited.email, username: invited.username, name: invited.name, roles: [role.name], email_sent: way.emailSent },
    })
    return invited
  })
  ctx.wakeOutbox()
  return {
    message: way.emailSent ? 'The invitation was mailed.' : 'No mail could be sent: hand the temporary password over yourself.',
    user_id: user.id,
    email: user.email,
    username: user.username ?? '',
    ...(way.emailSent ? {} : { temporary_password: way.password }),
    expires_at: (user.temporaryPasswordExpiresAt ?? secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS)).toISOString(),
    email_sent: way.emailSent,
    user: {
      id: user.id,
      email: user.email,
      username: user.username ?? '',
      tenant_id: user.tenantId,
      ...(user.clientId === null ? {} : { client_id: user.clientId }),
      ...(user.projectId === null ? {} : { project_id: user.projectId }),
    },
  }
}

/** The invited person, held. The link is void from here on, so that nobody accepts in between. @throws AppError not_found, invitation_accepted */
const holdInvitation = async (t: TenantTx, ctx: RequestCtx, userId: string): Promise<UserRow> => {
  const user = await lockUser(t, userId)
  if (user === undefined)
    throw new AppError('not_found', undefined, { extra: { hint: 'There is no such invitation; see /authsec/uflow/admin/invite/pending.' } })
  if (!isInvitationPending(user) || user.invitedBy === null) throw new AppError('invitation_accepted')
  await endLoginTransactions(t, userId, ctx.clock.now())
  return user
}

type Which = z.output<typeof InvitedUser>

/**
 * Takes an invitation back: the person, the binding and the link are gone. It takes what the invitation gives.
 * @throws AppError not_found, invitation_accepted, cannot_grant
 */
export const cancelInvitation = (
  ctx: RequestCtx,
  caller: User,
  { user_id: userId, tenant_id }: Which,
): Promise<z.input<typeof InvitationCancelled>> =>
  actInTenant(ctx, caller, actingTenant(caller, tenant_id), async (t, grantable) => {
    const user = await holdInvitation(t, ctx, userId)
    await requireRightsOver(t, ctx, grantable, userId)
    await deletePersonRow(t, ctx, user)
    await recordEvent(t, ctx, {
      event: 'user.invitation_cancelled',
      actor: byUser(caller),
      target: { type: 'user', id: userId },
      subjectId: userId,
      before: { email: user.email, username: user.username },
    })
    return { message: 'Invitation cancelled', user_id: userId, email: user.email }
  })

/**
 * Sends an invitation again, with a new link and seven more days; the old link is void. It is the caller's from now on. Three times an hour, and not after
 * thirty days.
 * @throws AppError not_found, invitation_accepted, invitation_lapsed, cannot_grant, rate_limited
 */
export const resendInvitation = async (ctx: RequestCtx, caller: User, { user_id: userId, tenant_id }: Which): Promise<z.input<typeof Reinvited>> => {
  const tenantId = actingTenant(caller, tenant_id)
  await ctx.limits.check([{ key: `reinvite:${userId}`, windowSeconds: HOUR, max: SENT_PER_HOUR, guardsCredential: true }])
  const way = await wayIn(ctx, tenantId)
  const expiresAt = secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS)
  const user = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const held = await holdInvitation(t, ctx, userId)
    if (secondsAfter(held.createdAt, LAPSES_AFTER_SECONDS) <= ctx.clock.now()) throw new AppError('invitation_lapsed')
    await requireRightsOver(t, ctx, grantable, userId)
    await updateUser(t, userId, {
      passwordHash: way.emailSent ? null : way.passwordHash,
      temporaryPasswordExpiresAt: expiresAt,
      invitedBy: caller.userId,
      updatedAt: ctx.clock.now(),
    })
    if (way.emailSent) await send(t, ctx, caller, held)
    await recordEvent(t, ctx, {
      event: 'user.invitation_resent',
      actor: byUser(caller),
      target: { type: 'user', id: userId },
      subjectId: userId,
      before: { expires_at: held.temporaryPasswordExpiresAt?.toISOString() ?? null },
      after: { expires_at: expiresAt.toISOString(), email_sent: way.emailSent },
    })
    return held
  })
  ctx.wakeOutbox()
  return {
    message: 'Invitation sent again',
    user_id: userId,
    email: user.email,
    ...(way.emailSent ? {} : { temporary_password: way.password }),
    expires_at: expiresAt.toISOString(),
    email_sent: way.emailSent,
  }
}

/** Invitations that nobody has accepted yet, newest first. */
export const listInvitations = async (ctx: RequestCtx, tenantId: TenantId): Promise<z.input<typeof PendingInvites>> => {
  const t = forTenant(ctx.db, tenantId)
  const now = ctx.clock.now()
  const tenant = await requireTenant(t)
  const people = await findPendingInvitations(t, MAX_ROWS)
  const invites = people.map((user) => ({
    user_id: user.id,
    email: user.email,
    username: user.username ?? '',
    name: user.name,
    tenant_domain: tenant.domain,
    ...(user.temporaryPasswordExpiresAt === null ? {} : { expires_at: user.temporaryPasswordExpiresAt.toISOString() }),
    is_expired: user.temporaryPasswordExpiresAt !== null && user.temporaryPasswordExpiresAt <= now,
    created_at: user.createdAt.toISOString(),
  }))
  return { invites, total: invites.length }
}
