// Profiles of people, changed by administrators or by the person.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { requirePerson, toUserResponse } from '#shared/domains/administration/people'
import type { ProfileBody } from '#shared/domains/administration/people.schema'
import { updateProfile } from '#shared/domains/administration/profile'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

type Body = z.output<typeof ProfileBody>

/** Changes a person of the caller's tenant. @throws AppError invalid_request, not_found, email_taken, username_taken, cannot_grant, forbidden */
export const changePerson = (ctx: Ctx, caller: User, userId: string, body: Body): Promise<void> => {
  const { name, username, email, avatar_url: avatarUrl, tenant_domain: tenantDomain } = body
  return updateProfile(ctx, caller, { tenantId: caller.tenantId, userId, change: { name, username, email, avatarUrl, tenantDomain } })
}

/** Does not change the email address; that takes codes to both mailboxes. @throws AppError invalid_request, username_taken, forbidden */
export const changeOwnProfile = (ctx: Ctx, caller: User, body: Body): Promise<void> => changePerson(ctx, caller, caller.userId, body)

export const showOwnProfile = async (ctx: Ctx, caller: User) => {
  const t = forTenant(ctx.db, caller.tenantId)
  return toUserResponse(ctx, t, await requirePerson(t, caller.userId))
}
