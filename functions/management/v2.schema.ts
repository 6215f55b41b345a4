// Wire shapes of uflow/v2, by which the administration UI manages administrators (memberships) and end users.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const V2TenantPath = z.object({ tenant_id: Id })
export const V2PersonPath = z.object({ tenant_id: Id, user_id: Id })
export const V2GroupPath = z.object({ group_id: Id })
export const V2UserPath = z.object({ user_id: Id })

const MembershipStatus = z.enum(['active', 'invited', 'suspended', 'left'])
const MembershipType = z.enum(['owner', 'admin', 'member', 'contractor', 'service_operator', 'readonly_auditor'])
const user = {
  user_email: z.string(),
  user_name: z.string(),
  user_username: z.string().optional(),
  user_last_login: z.iso.datetime().nullable(),
}
const times = { created_at: z.iso.datetime(), updated_at: z.iso.datetime() }

export const MembershipQuery = z.object({ status: MembershipStatus.optional(), type: MembershipType.optional() })
export const Membership = z
  .object({
    id: Id,
    tenant_id: Id,
    user_id: Id,
    status: z.enum(['active', 'invited', 'suspended']),
    /** `owner`: the primary administrator; `admin`: holds the administrator role; `member`: administers by another role. */
    membership_type: z.enum(['owner', 'admin', 'member']),
    source: z.string(),
    external_id: z.string().nullable(),
    invited_by: z.string().nullable(),
    joined_at: z.iso.datetime().nullable(),
    ...times,
    ...user,
  })
  .meta({ id: 'Membership' })
export const Memberships = z.object({ items: z.array(Membership), count: z.int() }).meta({ id: 'Memberships' })
/** Makes a person an administrator; lesser memberships are given as roles. */
export const NewMembership = z
  .object({ user_id: Id, membership_type: z.literal('admin').default('admin'), status: z.literal('active').default('active') })
  .meta({ id: 'NewMembership' })
export const MembershipChange = z
  .object({ status: z.enum(['active', 'suspended', 'left']).optional(), membership_type: z.literal('admin').optional() })
  .refine((body) => (body.status === undefined) !== (body.membership_type === undefined), {
    path: ['status'],
    message: 'exactly one of status and membership_type is required',
  })
  .meta({ id: 'MembershipChange', examples: [{ status: 'suspended' }] })
export const MembershipChanged = z.union([Membership, z.object({ tenant_id: Id, user_id: Id, status: z.literal('left') })])

const EndUserStatus = z.enum(['active', 'suspended'])
export const EndUserQuery = z.object({
  status: EndUserStatus.optional(),
  plan_tier: z.string().max(100).optional(),
  q: z.string().trim().min(1).max(200).optional(),
})
export const EndUserState = z
  .object({
    tenant_id: Id,
    user_id: Id,
    status: EndUserStatus,
    first_consent_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime().nullable(),
    /** Consents to clients. */
    applications_count: z.int(),
    ...times,
    ...user,
  })
  .meta({ id: 'EndUserState' })
export const EndUserStates = z.object({ items: z.array(EndUserState), count: z.int() }).meta({ id: 'EndUserStates' })
export const EndUserChange = z.object({ status: EndUserStatus }).meta({ id: 'EndUserStateChange' })
/** The reason is not stored. */
export const Suspend = z.object({ reason: z.string().max(1000).optional() }).meta({ id: 'SuspendEndUser' })

export const GroupBinding = z
  .object({
    tenant_id: Id.optional(),
    role_id: Id,
    scope_type: z.string().trim().max(100).optional(),
    scope_id: Id.optional(),
    conditions: z.record(z.string(), z.unknown()).optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((body) => (body.scope_type === undefined) === (body.scope_id === undefined), {
    path: ['scope_id'],
    message: 'scope_type and scope_id belong together',
  })
  .meta({ id: 'GroupRoleBinding', examples: [{ role_id: '0190aaaa-bbbb-7ccc-8ddd-ffffffffffff' }] })

export const EffectiveAccess = z
  .object({
    items: z.array(
      z.object({
        binding_id: Id,
        role_id: Id,
        role_name: z.string(),
        subject: z.enum(['user', 'group']),
        subject_id: Id,
        scope_type: z.string().nullable(),
        scope_id: z.string().nullable(),
        expires_at: z.iso.datetime().nullable(),
      }),
    ),
    count: z.int(),
  })
  .meta({ id: 'EffectiveAccess' })
