// What decisions are made from. Written by hand, prepared by the driver (hot path): one statement, and so one snapshot, each.
import type { TenantDb } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'

export type PrincipalKind = 'user' | 'service_account'
export type HolderKind = PrincipalKind | 'group'

export type PolicyRows = {
  /** As it stood in the snapshot that all other rows were read from. */
  readonly version: number
  readonly permissions: readonly { readonly id: string; readonly resource: string; readonly action: string }[]
  readonly roles: readonly { readonly id: string; readonly name: string; readonly isSystem: boolean; readonly permissionIds: readonly string[] }[]
  readonly bindings: readonly BindingRow[]
}
export type BindingRow = {
  readonly id: string
  readonly roleId: string
  readonly holderKind: HolderKind
  readonly holderId: string
  readonly scopeType: string | null
  readonly scopeId: string | null
  readonly conditions: unknown
  readonly expiresAt: Date | null
}

/**
 * One statement, because under read committed each statement has a snapshot of its own. Version and rows therefore agree: a trigger raises the version in the
 * transaction that changes a row (db/migrations/policies.ts).
 */
export const POLICY = `
select 'tenant', t.policy_version::text, null, null, null, null, null, null from authsec.tenants t where t.tenant_id = $1
union all
select 'permission', p.id::text, p.resource, p.action, null, null, null, null from authsec.permissions p where p.tenant_id = $1
union all
select 'role', r.id::text, r.name, r.is_system::text, string_agg(rp.permission_id::text, ','), null, null, null
from authsec.roles r left join authsec.role_permissions rp on rp.tenant_id = r.tenant_id and rp.role_id = r.id
where r.tenant_id = $1 group by r.id, r.name, r.is_system
union all
select case when b.user_id is not null then 'user' when b.group_id is not null then 'group' else 'service_account' end,
  b.id::text, b.role_id::text, coalesce(b.user_id, b.group_id, b.service_account_id)::text, b.scope_type, b.scope_id::text,
  b.conditions::text, (extract(epoch from b.expires_at) * 1000)::bigint::text
from authsec.role_bindings b where b.tenant_id = $1`

type Line = readonly [kind: string, a: string, b: string, c: string, ...rest: (string | null)[]]

/** Everything that a policy is compiled from. Undefined when there is no such tenant. */
export const readPolicy = async (t: TenantDb): Promise<PolicyRows | undefined> => {
  const lines = (await t.run({ text: POLICY, params: [t.tenantId], arrays: true })) as Line[]
  let version: number | undefined
  const permissions: PolicyRows['permissions'][number][] = []
  const roles: PolicyRows['roles'][number][] = []
  const bindings: BindingRow[] = []
  for (const [kind, a, b, c, d, e, f, g] of lines) {
    if (kind === 'tenant') version = Number(a)
    else if (kind === 'permission') permissions.push({ id: a, resource: b, action: c })
    else if (kind === 'role') roles.push({ id: a, name: b, isSystem: c === 'true', permissionIds: d?.split(',') ?? [] })
    else {
      bindings.push({
        id: a,
        roleId: b,
        holderKind: kind as HolderKind,
        holderId: c,
        scopeType: d ?? null,
        scopeId: e ?? null,
        conditions: f == null ? null : JSON.parse(f),
        expiresAt: g == null ? null : new Date(Number(g)),
      })
    }
  }
  return version === undefined ? undefined : { version, permissions, roles, bindings }
}

export type PrincipalState = { readonly kind: PrincipalKind; readonly id: string; readonly active: boolean; readonly groups: readonly string[] }

/** A service account stands in the groups that its client is mapped to. */
const GROUPS_OF_SERVICE = `array(
    select g.group_id::text from authsec.clients c join authsec.client_groups g on g.tenant_id = $1 and g.client_id = c.id
    where c.tenant_id = $1 and c.service_account_id = s.id and c.active and c.deleted_at is null order by 1)`

/** An agent's whose owner was stopped or is gone acts as little as the agent does. */
const AGENT_STANDS = `not exists (select from authsec.clients c ${JOIN_AGENT}
    where c.tenant_id = $1 and c.service_account_id = s.id and not ${AGENT_AUTHORIZED("'infinity'")})`

/**
 * One principal, by scalars: a list among the parameters would have PostgreSQL plan the statement anew each time, which costs five times what it does. Null:
 * there is none of that id. Groups come as one text, which is read faster than an array.
 */
const ONE: Readonly<Record<PrincipalKind, string>> = {
  user: `
select t.policy_version, u.active and u.deleted_at is null and t.status = 'active',
  (select string_agg(g.group_id::text, ',' order by g.group_id) from authsec.user_groups g where g.tenant_id = $1 and g.user_id = $2)
from authsec.tenants t left join authsec.users u on u.tenant_id = $1 and u.id = $2
where t.tenant_id = $1`,
  service_account: `
select t.policy_version, s.active and t.status = 'active' and ${AGENT_STANDS}, array_to_string(${GROUPS_OF_SERVICE}, ',')
from authsec.tenants t left join authsec.service_accounts s on s.tenant_id = $1 and s.id = $2
where t.tenant_id = $1`,
}

const PRINCIPALS = `
select t.policy_version, p.kind, p.id::text, p.active and t.status = 'active', p.groups
from authsec.tenants t
left join (
  select u.tenant_id, 'user' as kind, u.id, u.active and u.deleted_at is null as active,
    array(select g.group_id::text from authsec.user_groups g where g.tenant_id = $1 and g.user_id = u.id order by 1) as groups
  from authsec.users u where u.tenant_id = $1 and u.id = any($2::uuid[])
  union all
  select s.tenant_id, 'service_account', s.id, s.active and ${AGENT_STANDS}, ${GROUPS_OF_SERVICE}
  from authsec.service_accounts s where s.tenant_id = $1 and s.id = any($3::uuid[])
) p on p.tenant_id = t.tenant_id
where t.tenant_id = $1`

type Wanted = { readonly kind: PrincipalKind; readonly id: string }
type Principals = { readonly version: number; readonly principals: readonly PrincipalState[] }

const readPrincipal = async (t: TenantDb, { kind, id }: Wanted): Promise<Principals | undefined> => {
  const [row] = (await t.run({ text: ONE[kind], params: [t.tenantId, id], arrays: true })) as [number, boolean | null, string | null][]
  if (row === undefined) return undefined
  const [version, active, groups] = row
  return { version, principals: active === null ? [] : [{ kind, id, active, groups: groups ? groups.split(',') : [] }] }
}

/** The tenant's policy version, and those of the principals that exist. Undefined when there is no such tenant. Ids in lower case. */
export const readPrincipals = async (t: TenantDb, wanted: readonly Wanted[]): Promise<Principals | undefined> => {
  const [only, ...more] = wanted
  if (only !== undefined && more.length === 0) return readPrincipal(t, only)
  const idsOf = (kind: PrincipalKind): string[] => wanted.flatMap((one) => (one.kind === kind ? [one.id] : []))
  const rows = (await t.run({ text: PRINCIPALS, params: [t.tenantId, idsOf('user'), idsOf('service_account')], arrays: true })) as unknown[][]
  const [first] = rows
  if (first === undefined) return undefined
  const principals = rows.flatMap(([, kind, id, active, groups]) =>
    id === null ? [] : [{ kind: kind as PrincipalKind, id: id as string, active: active === true, groups: groups as string[] }],
  )
  return { version: first[0] as number, principals }
}

const USERS_OF_HOLDERS = `
select 'user', u.id::text,
  array(select g.group_id::text from authsec.user_groups g where g.tenant_id = $1 and g.user_id = u.id order by 1)
from authsec.users u
where u.tenant_id = $1 and u.active and u.deleted_at is null and u.id > $4::uuid and u.id in (
  select unnest($2::uuid[]) union select m.user_id from authsec.user_groups m where m.tenant_id = $1 and m.group_id = any($3::uuid[]))
order by u.id limit $5`

/** Made when it is asked: functions that never search do not carry it. */
const SERVICE_ACCOUNTS = (): string => `
select 'service_account', s.id::text, ${GROUPS_OF_SERVICE}
from authsec.service_accounts s
where s.tenant_id = $1 and s.active and ${AGENT_STANDS} and s.id > $4::uuid and s.id in (
  select unnest($2::uuid[]) union select c.service_account_id from authsec.client_groups m
    join authsec.clients c on c.tenant_id = $1 and c.id = m.client_id and c.active and c.deleted_at is null
    where m.tenant_id = $1 and m.group_id = any($3::uuid[]))
order by s.id limit $5`

/** Sorts before every id that is given out. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'
type Page = { readonly after: string | undefined; readonly limit: number }

const principalOf = ([kind, id, groups]: readonly unknown[]): PrincipalState => ({
  kind: kind as PrincipalKind,
  id: id as string,
  active: true,
  groups: groups as string[],
})

type Holders = { readonly ids: readonly string[]; readonly groups: readonly string[] }

/** Active people who are among these or stand in one of these groups, by id. */
export const listUsersOfHolders = async (t: TenantDb, holders: Holders, { after, limit }: Page): Promise<PrincipalState[]> => {
  const params = [t.tenantId, holders.ids, holders.groups, after ?? BEFORE_ALL, limit]
  return ((await t.run({ text: USERS_OF_HOLDERS, params, arrays: true })) as unknown[][]).map(principalOf)
}

/** Active service accounts that are among these, or whose client is mapped to one of these groups, by id. */
export const listServiceAccounts = async (t: TenantDb, holders: Holders, { after, limit }: Page): Promise<PrincipalState[]> => {
  const params = [t.tenantId, holders.ids, holders.groups, after ?? BEFORE_ALL, limit]
  return ((await t.run({ text: SERVICE_ACCOUNTS(), params, arrays: true })) as unknown[][]).map(principalOf)
}
