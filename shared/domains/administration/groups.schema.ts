// Wire shapes of groups.
import * as z from 'zod'
import { Id } from './fields.schema.ts'
import { UserObject } from './people.schema.ts'

export const GroupName = z.string().trim().min(1).max(200)
export const GroupObject = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    tenant_id: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Group' })

const MAX_ITEMS = 1000
export const CreateGroups = z
  .object({
    tenant_id: Id,
    groups: z
      .array(z.union([GroupName, z.object({ name: GroupName })]))
      .min(1)
      .max(MAX_ITEMS),
  })
  .meta({ id: 'CreateGroups' })
export const CreatedGroups = z.object({ message: z.string(), groups: z.array(GroupObject) }).meta({ id: 'CreatedGroups' })
export const ListGroups = z.object({ tenant_id: Id, user_id: Id.optional() }).meta({ id: 'ListGroups' })
export const GroupsWithMembers = z
  .object({ groups: z.array(z.object({ group: GroupObject, users: z.array(UserObject) })) })
  .meta({ id: 'GroupsWithMembers' })
export const GroupsPath = z.object({ tenant_id: Id })
export const Groups = z.object({ groups: z.array(GroupObject) }).meta({ id: 'Groups' })
export const GroupPath = z.object({ id: Id })
export const UpdateGroup = z.object({ tenant_id: Id, name: GroupName, description: z.string().max(1000).optional() }).meta({ id: 'UpdateGroup' })
export const MapGroups = z.object({ tenant_id: Id, client_id: Id, groups: z.array(GroupName).min(1).max(MAX_ITEMS) }).meta({ id: 'MapGroups' })
export const BulkMembers = z.object({ group_id: Id, user_ids: z.array(Id).min(1).max(MAX_ITEMS) }).meta({ id: 'BulkMembers' })
export const BulkDone = z
  .object({
    message: z.string(),
    group_id: z.string(),
    user_count: z.int(),
    /** The result for each person, in the order of the request. */
    results: z.array(z.object({ user_id: z.string(), result: z.enum(['added', 'already_member', 'removed', 'not_member']) })),
  })
  .meta({ id: 'BulkMembersDone' })
export const MembershipBody = z
  .object({ tenant_id: Id, user_id: Id, groups: z.array(GroupName).min(1).max(MAX_ITEMS) })
  .meta({ id: 'MembershipBody' })

const member = { id: z.string(), email: z.string(), name: z.string(), client_id: z.string().optional(), active: z.boolean() }
export const MyGroups = z
  .object({
    groups: z.array(GroupObject),
    users: z.array(z.object({ ...member, provider: z.string() })),
    admins: z.array(z.object(member)).optional(),
  })
  .meta({ id: 'MyGroups' })
export const GroupMembersPath = z.object({ tenant_id: Id, group_id: Id })
export const GroupMembers = z.object({ users: z.array(UserObject) }).meta({ id: 'GroupMembers' })

/** Ids may come under several names, as text with commas, arrays or objects. */
const Loose = z.unknown().optional()
export const DeleteGroupsBody = z.object({ groups: Loose, group_names: Loose, groupNames: Loose, Groups: Loose }).meta({ id: 'DeleteGroupsBody' })
export const DeleteGroupsQuery = z.object({ group_ids: z.string().max(40_000).optional(), group: z.string().max(40_000).optional() })

const ID_MEMBERS = ['id', 'name', 'value', 'group_name', 'groupName', 'values', 'names', 'items', 'groups', 'selected']
const MAX_DEPTH = 4

/** All texts in a value of the shapes that AuthSec accepts. In an object with an `id`, only the id counts. */
export const collectTexts = (value: unknown, depth = 0): string[] => {
  if (typeof value === 'string') return value.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((part) => collectTexts(part, depth + 1))
  const members = value as Readonly<Record<string, unknown>>
  const named = ID_MEMBERS.filter((name) => Object.hasOwn(members, name))
  const wanted = named[0] === 'id' ? ['id'] : named
  return wanted.flatMap((name) => collectTexts(members[name], depth + 1))
}
