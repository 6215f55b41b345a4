// Wire shapes of delegation policies on the paths of AuthSec.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const Permission = z.string().trim().min(1).max(200)
const members = {
  role_name: z.string().trim().min(1).max(200),
  agent_type: z.string().trim().min(1).max(64),
  allowed_permissions: z.array(Permission).max(500),
  max_ttl_seconds: z.int().min(60).max(86_400),
  enabled: z.boolean(),
  client_id: Id,
  audience: z.array(z.string().min(1).max(2000)).max(50),
  /** Whether tokens may omit the acting agent. An extension of this project. */
  impersonation: z.boolean(),
}

export const NewAgentPolicy = z
  .object({
    ...members,
    allowed_permissions: members.allowed_permissions.default([]),
    max_ttl_seconds: members.max_ttl_seconds.default(3600),
    enabled: members.enabled.default(true),
    client_id: z.union([z.literal(''), members.client_id]).optional(),
    audience: members.audience.default([]),
    impersonation: members.impersonation.default(false),
  })
  .meta({ id: 'NewDelegationPolicy' })
const orEmpty = <S extends z.ZodType>(schema: S) => z.union([z.literal(''), schema])
const Change = z
  .object({ ...members, role_name: orEmpty(members.role_name), agent_type: orEmpty(members.agent_type), client_id: orEmpty(members.client_id) })
  .partial()
/** An empty `client_id` clears the client. The union keeps it: in a plain object an empty member is dropped before the schema sees it. */
export const PolicyChange = z.union([Change]).meta({ id: 'DelegationPolicyChange' })
export const PolicyPath = z.object({ id: Id })
export const PolicyQuery = z.object({
  role_name: z.string().max(200).optional(),
  agent_type: z.string().max(64).optional(),
  enabled: z.union([z.literal(''), z.stringbool()]).optional(),
})

export const PolicyOut = z
  .object({
    id: z.uuid(),
    tenant_id: z.uuid(),
    role_name: z.string(),
    agent_type: z.string(),
    allowed_permissions: z.array(z.string()),
    max_ttl_seconds: z.int(),
    enabled: z.boolean(),
    client_id: z.uuid().optional(),
    audience: z.array(z.string()),
    impersonation: z.boolean(),
    created_by: z.string(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'DelegationPolicy' })
export const PolicyList = z.array(PolicyOut).meta({ id: 'DelegationPolicies' })

/** A policy only limits, so nothing is provisioned or issued with it. */
const Skipped = z.object({ status: z.literal('skipped'), reason: z.string() })
export const CreatedPolicy = z
  .object({ policy: PolicyOut, identity_provision: Skipped.optional(), delegate_token: Skipped.optional() })
  .meta({ id: 'CreatedDelegationPolicy' })
export const DeletedPolicy = z.object({ status: z.literal('deleted'), id: z.uuid() }).meta({ id: 'DeletedDelegationPolicy' })
