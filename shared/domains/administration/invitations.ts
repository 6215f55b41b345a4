// Invitations of administrators: a person without a password, and a one-time link to set one.
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
import { namedDomain } from '#shared/domains/sign-in/choose-tenant'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { InvitationCancelled, InviteBody, Invited, InvitedUser, PendingInvites, Reinvited } from './invitations.schema.ts'
import { MAX_ROWS, requireTenant } from './people.ts'
import { TEMPORARY_SECONDS, temporaryPassword } from './temporary-password.ts'

/** An invitation ends after this, however often it is sent again. */
const LAPSES_AFTER_SECONDS = 30 * 24 * 3600
const HOUR = 3600
const SENT_PER_HOUR = 3
const INVITATIONS_PER_HOUR = 100

/** How the person gets access: by a mailed link, or by a temporary password that the inviter passes on because no mail can be sent. */
type Delivery = { readonly emailSent: true } | { readonly emailSent: false; readonly password: string; readonly passwordHash: string }

const prepareDelivery = async (ctx: RequestCtx, tenantId: TenantId): Promise<Delivery> => {
  if (await ctx.quotas.allows(tenantId, 'mailsPerHour')) return { emailSent: true }
  const password = temporaryPassword(ctx.random)
  return { emailSent: false, password, passwordHash: await ctx.passwords.hash(password) }
}

const mailInvitation = (t: TenantTx, ctx: RequestCtx, caller: User, user: Pick<UserRow, 'id' | 'email'>): Promise<void> =>
  mailSetPasswordLink(t, ctx, { userId: user.id, email: user.email, purpose: 'invitation', invitedBy: caller.email, hours: TEMPORARY_SECONDS / HOUR })

type Body = z.output<typeof InviteBody>

/** @throws AppError invalid_request, email_taken, username_taken, quota_exceeded; nothing has changed then */
const addInvited = async (t: TenantTx, ctx: RequestCtx, caller: User, body: Body, delivery: Delivery): Promise<UserRow> => {
  const at = ctx.clock.now()
  if ((await findUserByEmail(t, body.email)) !== undefined) throw new AppError('email_taken', undefined, { field: 'body.email' })
  if (await isUsernameTaken(t, body.username)) throw new AppError('username_taken', undefined, { field: 'body.username' })
  if (body.client_id !== undefined && !(await hasClient(t, body.client_id)))
    throw new AppError('invalid_request', 'The client does not exist.', { field: 'body.client_id' })
  if (body.project_id !== undefined && !(await hasProject(t, body.project_id)))
    throw new AppError('invalid_request', 'The project does not exist.', { field: 'body.project_id' })
  const tenant = await requireTenant(t)
  const named = namedDomain(ctx, body.tenant_domain)
  if (named !== undefined && named !== tenant.domain)
    throw new AppError('invalid_request', 'An administrator must have the tenant\u2019s domain.', { field: 'body.tenant_domain' })
  await consumeQuota(t, tenant.settings, 'users')
  const id = ctx.random.id()
  const added = await insertUser(t, {
    id,
    clientId: body.client_id ?? null,
    projectId: body.project_id ?? null,
    email: body.email,
    name: [body.first_name, body.last_name].filter(Boolean).join(' ') || body.username,
    username: body.username,
    passwordHash: delivery.emailSent ? null : delivery.passwordHash,
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
 * Invites an administrator into the caller's tenant, or into the one that a platform administrator names. Inviting grants the full role, so it requires the full
 * role.
 * @throws AppError email_taken, username_taken, quota_exceeded, cannot_grant, rate_limited
 */
export const invite = async (ctx: RequestCtx, caller: User, body: Body): Promise<z.input<typeof Invited>> => {
  await ctx.limits.check([{ key: `invite:${caller.userId}`, windowSeconds: HOUR, max: INVITATIONS_PER_HOUR, guardsCredential: false }])
  const tenantId = actingTenant(caller, body.tenant_id)
  const delivery = await prepareDelivery(ctx, tenantId)
  const user = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const role = await findRoleByName(t, administratorRole(t.tenantId))
    if (role === undefined) throw new AppError('not_found')
    await requireRoleGrantable(t, grantable, role)
    const invited = await addInvited(t, ctx, caller, body, delivery)
    await guardAdministrators(t, ctx, () =>
      bindRole(t, { id: ctx.random.id(), roleId: role.id, userId: invited.id, createdBy: caller.userId, at: ctx.clock.now() }),
    )
    if (delivery.emailSent) await mailInvitation(t, ctx, caller, invited)
    await recordEvent(t, ctx, {
      event: 'user.invited',
      actor: byUser(caller),
      target: { type: 'user', id: invited.id },
      subjectId: invited.id,
      after: { email: invited.email, username: invited.username, name: invited.name, roles: [role.name], email_sent: delivery.emailSent },
    })
    return invited
  })
  ctx.wakeOutbox()
  return {
    message: delivery.emailSent ? 'The invitation was mailed.' : 'No mail could be sent: give the temporary password to the person yourself.',
    user_id: user.id,
    email: user.email,
    username: user.username ?? '',
    ...(delivery.emailSent ? {} : { temporary_password: delivery.password }),
    expires_at: (user.temporaryPasswordExpiresAt ?? secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS)).toISOString(),
    email_sent: delivery.emailSent,
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

/** Locks an invited person and invalidates the link, so that nothing is accepted meanwhile. @throws AppError not_found, invitation_accepted */
const lockInvitation = async (t: TenantTx, ctx: RequestCtx, userId: string): Promise<UserRow> => {
  const user = await lockUser(t, userId)
  if (user === undefined)
    throw new AppError('not_found', undefined, { extra: { hint: 'The invitation does not exist; see /authsec/uflow/admin/invite/pending.' } })
  if (!isInvitationPending(user) || user.invitedBy === null) throw new AppError('invitation_accepted')
  await endLoginTransactions(t, userId, ctx.clock.now())
  return user
}

type InvitationSelector = z.output<typeof InvitedUser>

/**
 * Cancels an invitation: removes the person, the binding and the link. Takes the rights that the invitation gives.
 * @throws AppError not_found, invitation_accepted, cannot_grant
 */
export const cancelInvitation = (
  ctx: RequestCtx,
  caller: User,
  { user_id: userId, tenant_id }: InvitationSelector,
): Promise<z.input<typeof InvitationCancelled>> =>
  actInTenant(ctx, caller, actingTenant(caller, tenant_id), async (t, grantable) => {
    const user = await lockInvitation(t, ctx, userId)
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
 * Sends an invitation again with a new link, valid seven more days. The old link becomes invalid, and the caller becomes the inviter. At most three times an hour,
 * and within thirty days.
 * @throws AppError not_found, invitation_accepted, invitation_lapsed, cannot_grant, rate_limited
 */
export const resendInvitation = async (
  ctx: RequestCtx,
  caller: User,
  { user_id: userId, tenant_id }: InvitationSelector,
): Promise<z.input<typeof Reinvited>> => {
  const tenantId = actingTenant(caller, tenant_id)
  await ctx.limits.check([{ key: `reinvite:${userId}`, windowSeconds: HOUR, max: SENT_PER_HOUR, guardsCredential: true }])
  const delivery = await prepareDelivery(ctx, tenantId)
  const expiresAt = secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS)
  const user = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const held = await lockInvitation(t, ctx, userId)
    if (secondsAfter(held.createdAt, LAPSES_AFTER_SECONDS) <= ctx.clock.now()) throw new AppError('invitation_lapsed')
    await requireRightsOver(t, ctx, grantable, userId)
    await updateUser(t, userId, {
      passwordHash: delivery.emailSent ? null : delivery.passwordHash,
      temporaryPasswordExpiresAt: expiresAt,
      invitedBy: caller.userId,
      updatedAt: ctx.clock.now(),
    })
    if (delivery.emailSent) await mailInvitation(t, ctx, caller, held)
    await recordEvent(t, ctx, {
      event: 'user.invitation_resent',
      actor: byUser(caller),
      target: { type: 'user', id: userId },
      subjectId: userId,
      before: { expires_at: held.temporaryPasswordExpiresAt?.toISOString() ?? null },
      after: { expires_at: expiresAt.toISOString(), email_sent: delivery.emailSent },
    })
    return held
  })
  ctx.wakeOutbox()
  return {
    message: 'Invitation sent again',
    user_id: userId,
    email: user.email,
    ...(delivery.emailSent ? {} : { temporary_password: delivery.password }),
    expires_at: expiresAt.toISOString(),
    email_sent: delivery.emailSent,
  }
}

/** Pending invitations, newest first. */
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
