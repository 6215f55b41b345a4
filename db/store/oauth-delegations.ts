// Every query on steps from token to token: making one, and what bounds it. Whether one still counts: oauth-standing.ts.
import { and, arrayContains, eq, gt, isNull } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oauthDelegations } from '../tables/delegations.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'

export type { Act } from '../tables/delegations.ts'
export type Delegation = typeof oauthDelegations.$inferSelect
export type NewDelegation = Omit<typeof oauthDelegations.$inferInsert, 'tenantId'>

/** A policy as it was when it was read: by the transaction that wrote it last. */
export type PolicyVersion = { readonly id: string; readonly version: string }
const VERSION = 'p.xmin::text'

/** Policies that are as they were read, held against any change until this is over: whoever changes one then finds, and ends, what was made under it. */
const HELD = `held as (
  select from authsec.delegation_policies p where p.tenant_id = $1 and p.id = any($2::uuid[]) and ${VERSION} = any($3::text[]) for share)`
const ARE_HELD = '(select count(*) from held) = cardinality($2::uuid[])'
const heldOf = (t: TenantDb, policies: readonly PolicyVersion[]): unknown[] => [
  t.tenantId,
  policies.map(({ id }) => id),
  policies.map(({ version }) => version),
]

/** False where one of them is not as it was read. */
export const lockPolicyVersions = async (t: TenantTx, policies: readonly PolicyVersion[]): Promise<boolean> => {
  const [row] = (await t.run({ text: `with ${HELD} select ${ARE_HELD}`, params: heldOf(t, policies), arrays: true })) as boolean[][]
  return row?.[0] === true
}

const STEP = `with ${HELD} ${INSERT_FROM(oauthDelegations, JSON_RECORD(oauthDelegations, '$4'))} where ${ARE_HELD} returning id`

/** False, and nothing is written, where one of the policies that it was judged by is not as it was read. */
export const insertDelegation = async (t: TenantTx, row: NewDelegation, policies: readonly PolicyVersion[] = []): Promise<boolean> => {
  const record = jsonRecord(oauthDelegations, { ...row, tenantId: t.tenantId })
  return (await t.run({ text: STEP, params: [...heldOf(t, policies), record], arrays: true })).length === 1
}

export const findDelegation = async (t: TenantDb, id: string): Promise<Delegation | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthDelegations)
    .where(and(ownRows(t, oauthDelegations), eq(oauthDelegations.id, id)))
  return row
}

/** What was made under a policy counts no more, and neither does what came of it. */
export const revokeDelegationsOfPolicy = async (t: TenantTx, policyId: string, at: Date, reason: string): Promise<void> => {
  const d = oauthDelegations
  await t.db
    .update(d)
    .set({ revokedAt: at, revokedReason: reason })
    .where(and(ownRows(t, d), gt(d.expiresAt, at), arrayContains(d.policyIds, [policyId]), isNull(d.revokedAt)))
}

const STEPS_BELOW = `
select exists (select from authsec.oauth_delegations d where d.tenant_id = $1 and d.expires_at > $3 and d.client_id <> $2 and (
  d.root_client_id = $2
  or exists (select from authsec.oauth_delegations x where x.tenant_id = $1 and x.id = any(d.path) and x.client_id = $2)
  or d.authorization_id in (select a.id from authsec.oauth_authorizations a where a.tenant_id = $1 and a.client_id = $2)))`

/** Whether others still act on what this client passed on. Their tokens need not name it. */
export const hasSubdelegations = async (t: TenantDb, clientId: string, now: Date): Promise<boolean> => {
  const [row] = (await t.run({ text: STEPS_BELOW, params: [t.tenantId, clientId, now.toISOString()], arrays: true })) as unknown[][]
  return row?.[0] === true
}

export type BoundingPolicy = PolicyVersion & {
  readonly allowed_permissions: readonly string[]
  readonly audience: readonly string[]
  readonly max_ttl_seconds: number
  readonly impersonation: boolean
}
export type DelegationBounds = {
  /** How many may act one after the other; undefined: the default. */
  readonly depth: number | undefined
  /** Policies for this agent, of roles that the subject has now. */
  readonly policies: readonly BoundingPolicy[]
}

const HAS_ROLE = (holder: string): string => `exists (
  select from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  where b.tenant_id = $1 and r.name = p.role_name and b.scope_id is null and (b.expires_at is null or b.expires_at > $4)
    and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb and ${holder})`
const OF_USER = `(b.user_id = $3 or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = $1 and g.user_id = $3))`
const BOUNDS = (holder: string): string => `
select t.settings -> 'delegationDepth', (select json_agg(json_build_object('id', p.id, 'version', ${VERSION}, 'allowed_permissions', p.allowed_permissions, 'audience', p.audience,
    'max_ttl_seconds', p.max_ttl_seconds, 'impersonation', p.impersonation) order by p.id)
  from authsec.delegation_policies p join authsec.agents ag on ag.tenant_id = p.tenant_id and ag.id = $2 and ag.agent_type = p.agent_type
  where p.tenant_id = $1 and p.enabled and (p.client_id is null or p.client_id = $2) and ${HAS_ROLE(holder)})
from authsec.tenants t where t.tenant_id = $1`
const BOUNDS_OF = { user: BOUNDS(OF_USER), serviceAccount: BOUNDS('b.service_account_id = $3') }

/** What bounds an agent that acts for this subject. */
export const findDelegationBounds = async (
  t: TenantDb,
  of: { readonly agentId: string; readonly subject: { readonly kind: 'user' | 'serviceAccount'; readonly id: string }; readonly now: Date },
): Promise<DelegationBounds> => {
  const params = [t.tenantId, of.agentId, of.subject.id, of.now.toISOString()]
  const [row] = (await t.run({ text: BOUNDS_OF[of.subject.kind], params, arrays: true })) as unknown[][]
  const depth = row?.[0]
  return { depth: typeof depth === 'number' ? depth : undefined, policies: (row?.[1] as BoundingPolicy[] | null | undefined) ?? [] }
}
