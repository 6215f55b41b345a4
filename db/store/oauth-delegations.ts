// Every query on delegation steps: writing one, and its bounds. Their state: delegation-state.ts.
import { and, arrayContains, eq, gt, isNull } from 'drizzle-orm'
import { column, columns, optional, type RowOf, statement } from '../engine/statement.ts'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oauthDelegations } from '../tables/delegations.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'
import { HELD_BY_USER, LIVE_BINDING } from './live-bindings.ts'

export type { Act } from '../tables/delegations.ts'
export type Delegation = typeof oauthDelegations.$inferSelect
export type NewDelegation = Omit<typeof oauthDelegations.$inferInsert, 'tenantId'>

/** A policy as it was read, identified by the transaction that wrote it last. */
export type PolicyVersion = { readonly id: string; readonly version: string }
const VERSION = 'p.xmin::text'

/** Locks policies that are unchanged since they were read until the transaction ends: a later change of a policy then finds and ends the steps made under it. */
const HELD = `held as (
  select from authsec.delegation_policies p where p.tenant_id = :tenantId and p.id = any(:ids::uuid[]) and ${VERSION} = any(:versions::text[]) for share)`
const ARE_HELD = '(select count(*) from held) = cardinality(:ids::uuid[])'
type HeldParameters = { readonly ids: readonly string[]; readonly versions: readonly string[] }
const heldOf = (policies: readonly PolicyVersion[]): HeldParameters => ({
  ids: policies.map(({ id }) => id),
  versions: policies.map(({ version }) => version),
})
const HOLD = statement<HeldParameters>(`with ${HELD} select where ${ARE_HELD}`)

/** False when one of them has changed. */
export const lockPolicyVersions = async (t: TenantTx, policies: readonly PolicyVersion[]): Promise<boolean> =>
  (await HOLD.count(t, heldOf(policies))) === 1

/** Locks the acting client, which this process may have read a second ago: one that was switched off meanwhile acts no more. */
const ACTING = `acting as (
  select from authsec.clients c where c.tenant_id = :tenantId and c.id = :actorId and c.active and c.deleted_at is null for share)`
const INSERT_STEP = statement<HeldParameters & { record: string; actorId: string }>(
  `with ${HELD}, ${ACTING} ${INSERT_FROM(oauthDelegations, JSON_RECORD(oauthDelegations, ':record'))} where ${ARE_HELD} and exists (select from acting) returning id`,
)

/** False, and nothing is written, if a policy that the decision used has changed, or the acting client was switched off. */
export const insertDelegation = async (t: TenantTx, row: NewDelegation, policies: readonly PolicyVersion[] = []): Promise<boolean> => {
  const record = jsonRecord(oauthDelegations, { ...row, tenantId: t.tenantId })
  return (await INSERT_STEP.count(t, { ...heldOf(policies), record, actorId: row.clientId })) === 1
}

export const findDelegation = async (t: TenantDb, id: string): Promise<Delegation | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthDelegations)
    .where(and(ownRows(t, oauthDelegations), eq(oauthDelegations.id, id)))
  return row
}

/** Ends all delegations under a policy, with their results. */
export const revokeDelegationsOfPolicy = async (t: TenantTx, policyId: string, at: Date, reason: string): Promise<void> => {
  const d = oauthDelegations
  await t.db
    .update(d)
    .set({ revokedAt: at, revokedReason: reason })
    .where(and(ownRows(t, d), gt(d.expiresAt, at), arrayContains(d.policyIds, [policyId]), isNull(d.revokedAt)))
}

const STEPS_BELOW = statement<{ clientId: string; now: Date }>(`
select where exists (select from authsec.oauth_delegations d where d.tenant_id = :tenantId and d.expires_at > :now and d.client_id <> :clientId and (
  d.root_client_id = :clientId
  or exists (select from authsec.oauth_delegations x where x.tenant_id = :tenantId and x.id = any(d.path) and x.client_id = :clientId)
  or d.authorization_id in (select a.id from authsec.oauth_authorizations a where a.tenant_id = :tenantId and a.client_id = :clientId)))`)

/** Whether others still act on tokens that this client passed on. Their tokens need not name it. */
export const hasSubdelegations = async (t: TenantDb, clientId: string, now: Date): Promise<boolean> =>
  (await STEPS_BELOW.count(t, { clientId, now })) === 1

export type BoundingPolicy = PolicyVersion & {
  readonly allowed_permissions: readonly string[]
  readonly audience: readonly string[]
  readonly max_ttl_seconds: number
  readonly impersonation: boolean
}
const HAS_ROLE = (holder: string): string => `exists (
  select from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  where ${LIVE_BINDING(':now')} and r.name = p.role_name and ${holder})`
const BOUNDS = (holder: string) =>
  columns({
    /** Longest chain of actors; undefined means the default. */
    depth: optional(column<number>(`case when jsonb_typeof(t.settings -> 'delegationDepth') = 'number' then t.settings -> 'delegationDepth' end`)),
    /** Policies for this agent and the subject's current roles. */
    policies: column<readonly BoundingPolicy[]>(`coalesce((
  select json_agg(json_build_object('id', p.id, 'version', ${VERSION}, 'allowed_permissions', p.allowed_permissions, 'audience', p.audience,
    'max_ttl_seconds', p.max_ttl_seconds, 'impersonation', p.impersonation) order by p.id)
  from authsec.delegation_policies p join authsec.agents ag on ag.tenant_id = p.tenant_id and ag.id = :agentId and ag.agent_type = p.agent_type
  where p.tenant_id = :tenantId and p.enabled and (p.client_id is null or p.client_id = :agentId) and ${HAS_ROLE(holder)}), '[]')`),
  })
export type DelegationBounds = RowOf<ReturnType<typeof BOUNDS>>
const finding = (holder: string) => {
  const bounds = BOUNDS(holder)
  return statement<{ agentId: string; subjectId: string; now: Date }>(
    `select ${bounds.list} from authsec.tenants t where t.tenant_id = :tenantId`,
  ).returning(bounds)
}
const FIND_BOUNDS = { user: finding(HELD_BY_USER(':subjectId')), serviceAccount: finding('b.service_account_id = :subjectId') }

/** The limits of an agent that acts for this subject. */
export const findDelegationBounds = async (
  t: TenantDb,
  of: { readonly agentId: string; readonly subject: { readonly kind: 'user' | 'serviceAccount'; readonly id: string }; readonly now: Date },
): Promise<DelegationBounds> => {
  const { agentId, subject, now } = of
  return (await FIND_BOUNDS[subject.kind].first(t, { agentId, subjectId: subject.id, now })) ?? { depth: undefined, policies: [] }
}
