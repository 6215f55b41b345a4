// One list, one record and its changes. Reads return an ETag, and changes require it (RFC 9110 section 13.1.1).
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import type { PeopleFilter } from '#db/store/people'
import { isInvitationPending, type User as UserRow } from '#db/store/users'
import { pageOfPeople } from '#shared/domains/administration/lists'
import { requirePerson } from '#shared/domains/administration/people'
import { type ProfileChange, updateProfile } from '#shared/domains/administration/profile'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { PatchPerson, PeoplePage, PeopleQuery, Person } from './people.schema.ts'

type ResponseBody = z.input<typeof Person>

export const toPersonResponse = (user: UserRow): ResponseBody => ({
  id: user.id,
  email: user.email,
  email_verified: user.emailVerifiedAt !== null,
  name: user.name,
  username: user.username,
  avatar_url: user.avatarUrl,
  external_id: user.externalId,
  provider: user.provider,
  client_id: user.clientId,
  active: user.active,
  is_primary_admin: user.isPrimaryAdmin,
  pending: isInvitationPending(user),
  last_login_at: user.lastLoginAt?.toISOString() ?? null,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
})

/** The ETag covers only members that an administrator can change, so a sign-in of the person does not change it. */
export const personTag = (user: UserRow): string => {
  const { last_login_at: _, pending: __, ...record } = toPersonResponse(user)
  return etagOf(record)
}

export const listPeoplePage = async (ctx: Ctx, caller: User, query: z.output<typeof PeopleQuery>): Promise<z.input<typeof PeoplePage>> => {
  const { search, active, provider, client_id: clientId, external_id: externalId, group_id: groupId, second_factor: hasFactor } = query
  const filter: PeopleFilter = { search, active, provider, clientId, externalId, groupId, hasFactor }
  const found = await pageOfPeople(
    forTenant(ctx.db, caller.tenantId),
    filter,
    { sort: query.sort, cursor: query.cursor, limit: query.limit },
    query.limit,
  )
  return { people: found.people.map(toPersonResponse), total: found.total, next: found.next ?? null }
}

/** @throws AppError not_found */
export const showPerson = async (ctx: Ctx, caller: User, userId: string): Promise<HttpResult<ResponseBody>> => {
  const user = await requirePerson(forTenant(ctx.db, caller.tenantId), userId)
  return new HttpResult(toPersonResponse(user), { headers: { ETag: personTag(user) } })
}

/** @throws AppError precondition_required, precondition_failed, not_found, email_taken, username_taken, cannot_grant, forbidden */
export const patchPerson = async (ctx: Ctx, caller: User, userId: string, body: z.output<typeof PatchPerson>): Promise<HttpResult<ResponseBody>> => {
  const checkPrecondition = preconditionOf(ctx, 'required')
  const { email, name, username, avatar_url: avatarUrl, external_id: externalId } = body
  const change: ProfileChange = { email, name, username, avatarUrl, externalId }
  await updateProfile(ctx, caller, { tenantId: caller.tenantId, userId, change, precondition: (user) => checkPrecondition(personTag(user)) })
  return showPerson(ctx, caller, userId)
}
