// Who can do what in a company, read from the tables by independent queries: what each principal holds, by what it is recognised, and what can stand for anyone.
import type { TenantDb } from '#db/engine/tenant'

export type Principal = {
  readonly kind: 'user' | 'client'
  readonly id: string
  /** By any binding, a scoped or conditional one included; for a client also what people allowed it. */
  readonly held: ReadonlySet<string>
  /** By what the principal is recognised: another value lets another party act as it. A missing value lets no one. */
  readonly recognised: ReadonlySet<string>
}
export type Authority = {
  readonly principals: ReadonlyMap<string, Principal>
  /** Facts that can make anyone anyone: each new one takes the whole administrator role. */
  readonly anyone: ReadonlySet<string>
  /** What a fact gives to people who do not hold it yet, with the permission that it takes to state it. */
  readonly given: ReadonlyMap<string, readonly string[]>
}

const PERMISSION = `case when r.is_system and r.name = 'admin' then 'the system role' else null end, p.resource || ':' || p.action`
const HELD = `select who, array_remove(array_agg(distinct n), null) from (
  select coalesce(g.user_id, b.user_id, c.id)::text as who, unnest(array[${PERMISSION}]) as n
  from authsec.role_bindings b
  join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  left join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = r.id
  left join authsec.permissions p on p.tenant_id = b.tenant_id and p.id = rp.permission_id
  left join authsec.user_groups g on g.tenant_id = b.tenant_id and g.group_id = b.group_id
  left join authsec.clients c on c.tenant_id = b.tenant_id and c.service_account_id = b.service_account_id
  where b.tenant_id = $1
  union all
  select cg.client_id::text, unnest(array[${PERMISSION}])
  from authsec.client_groups cg
  join authsec.role_bindings b on b.tenant_id = cg.tenant_id and b.group_id = cg.group_id
  join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  left join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = r.id
  left join authsec.permissions p on p.tenant_id = b.tenant_id and p.id = rp.permission_id
  where cg.tenant_id = $1
  union all
  select g.client_id::text, s.permission from authsec.oauth_grants g
  join authsec.resource_scopes s on s.tenant_id = g.tenant_id and s.resource_server_id = g.resource_server_id and s.name = any (g.scopes)
  where g.tenant_id = $1
) x where who is not null group by who`

const fact = (name: string, value: string): string => `'${name} ' || ${value}`
/** Each row: the person, and one fact. */
const OF_PEOPLE = `
select id::text, ${fact('address', 'email')} from authsec.users where tenant_id = $1 and deleted_at is null and active
union all select id::text, ${fact('password', 'password_hash')} from authsec.users where tenant_id = $1 and password_hash is not null and active
union all select id::text, ${fact('external id', 'external_id')} from authsec.users where tenant_id = $1 and external_id is not null and active
union all select user_id::text, ${fact('factor', 'id::text')} from authsec.factors where tenant_id = $1
union all select user_id::text, ${fact('identity', `issuer || ' ' || subject`)} from authsec.federated_identities where tenant_id = $1
union all select user_id::text, ${fact('backup code', `selector::text`)} from authsec.backup_codes where tenant_id = $1
union all select user_id::text, ${fact('session', 'id::text')} from authsec.sessions where tenant_id = $1 and revoked_at is null
union all select user_id::text, ${fact('recovery pass', 'id::text')} from authsec.tickets where tenant_id = $1 and purpose = 'recovery_pass' and used_at is null
union all select user_id::text, ${fact('consent', 'client_id::text')} from authsec.oauth_grants where tenant_id = $1
union all select user_id::text, ${fact('authorization', 'id::text')} from authsec.oauth_authorizations where tenant_id = $1 and revoked_at is null
union all select user_id::text, ${fact('session of a server', `encode(id_hash, 'hex')`)} from authsec.mcp_sessions where tenant_id = $1 and user_id is not null
union all select user_id::text, ${fact('speaker', 'id::text')} from authsec.voice_links where tenant_id = $1
union all select user_id::text, ${fact('device', `platform || ' ' || id::text`)} from authsec.push_devices where tenant_id = $1 and is_active`
const OF_CLIENTS = `
select client_id::text, ${fact('secret', `encode(secret_hash, 'hex')`)} from authsec.client_directory where tenant_id = $1 and secret_hash is not null and active
union all select client_id::text, ${fact('SDK secret', `encode(sdk_secret_hash, 'hex')`)} from authsec.client_directory where tenant_id = $1 and sdk_secret_hash is not null and active
union all select id::text, ${fact('redirect', 'unnest(redirect_uris)')} from authsec.clients where tenant_id = $1
union all select id::text, ${fact('keys', 'jwks::text')} from authsec.clients where tenant_id = $1 and jwks is not null and active
union all select id::text, ${fact('keys at', 'jwks_uri')} from authsec.clients where tenant_id = $1 and jwks_uri is not null and active
union all select id::text, 'public' from authsec.clients where tenant_id = $1 and is_public and active
union all select id::text, ${fact('registration', `encode(registration_token_hash, 'hex')`)} from authsec.clients where tenant_id = $1 and registration_token_hash is not null`

/** Numbers below which a setting protects more are listed as one fact each. */
const upTo = (name: string, value: string, most: number): string =>
  `select '${name} ' || n from authsec.tenants t, generate_series(1, ${most}) n where t.tenant_id = $1 and n >= ${value}`
const SETTING = (path: string): string => `t.settings #>> '{${path}}'`
const weak = (name: string, when: string): string => `select '${name}' from authsec.tenants t where t.tenant_id = $1 and ${when}`
const ANYONE = `
select 'issuer ' || concat_ws(' ', issuer, accepts_identity, accepts_jwt, jwks_uri, jwks::text, subject_mapping, scopes::text) from authsec.oauth_issuers
  where tenant_id = $1 and active and (accepts_identity or accepts_jwt)
union all select 'attestor ' || concat_ws(' ', kind, issuer, jwks_uri, jwks::text, audience, key_binding, max_age_seconds, rules::text, regions::text, token_review_url, certificate_authorities::text, algorithms::text)
  from authsec.attestors where tenant_id = $1 and active
union all select 'join token ' || id from authsec.join_tokens where tenant_id = $1 and used_at is null
union all select 'SAML ' || concat_ws(' ', entity_id, sso_url, certificates::text, client_id, jit_provisioning, trusts_factors) from authsec.saml_providers where tenant_id = $1 and is_active
union all select 'trusted provider ' || concat_ws(' ', issuer, authorization_url, client_id) from authsec.oidc_providers p
  where tenant_id = $1 and is_active and (trusts_factors or exists (select from authsec.tenants t where t.tenant_id = $1 and t.settings -> 'trustFactorsOf' ? p.id::text))
union all select 'front end ' || (${SETTING('loginUi')}) from authsec.tenants t where t.tenant_id = $1 and ${SETTING('loginUi')} is not null
union all ${weak('no second factor', `coalesce(${SETTING('requireSecondFactor')}, 'false') = 'false'`)}
union all ${weak('administration below aal2', `coalesce(${SETTING('adminAcr')}, 'aal1') = 'aal1'`)}
union all ${weak('administration below aal3', `coalesce(${SETTING('adminAcr')}, 'aal1') <> 'aal3'`)}
union all ${weak('direct sign-up', `${SETTING('directSignUp')} = 'true'`)}
union all ${weak('no login challenge', `coalesce(${SETTING('requireLoginChallenge')}, 'false') = 'false'`)}
union all ${weak('a code alone', `${SETTING('passwordlessTotp')} = 'true'`)}
union all ${weak('backup codes', `coalesce(${SETTING('recovery,backupCodes')}, 'true') = 'true'`)}
union all ${weak('passes', `coalesce(${SETTING('recovery,administratorPass')}, 'true') = 'true'`)}
union all ${weak('no number', `coalesce(${SETTING('cibaNumberMatching')}, 'false') = 'false'`)}
union all ${upTo('recovery after days', `coalesce((${SETTING('recovery,waitingDays')})::int, 99)`, 30)}`

/** A role that newcomers get, with its permissions. */
const GIVEN = `select 'newcomers of ' || s.id || ' get ' || s.access_policy_role_id, coalesce(array(
    select p.resource || ':' || p.action from authsec.role_permissions rp join authsec.permissions p on p.tenant_id = rp.tenant_id and p.id = rp.permission_id
    where rp.tenant_id = $1 and rp.role_id = s.access_policy_role_id), '{}')
  from authsec.resource_servers s where s.tenant_id = $1 and s.access_policy_enabled and s.access_policy_role_id is not null`
/** Scopes by what they take, for comparison: taking something else opens them to others. */
const SCOPES = `select resource_server_id || ' ' || name, permission from authsec.resource_scopes where tenant_id = $1 and permission is not null`

const read = async <R extends readonly unknown[]>(t: TenantDb, text: string): Promise<R[]> =>
  (await t.run({ text, params: [t.tenantId], arrays: true })) as unknown as R[]

const listed = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value
          .replace(/^\{|\}$/g, '')
          .split(',')
          .map((one) => one.replace(/^"|"$/g, ''))
      : []

export const readAuthority = async (t: TenantDb): Promise<Authority & { readonly scopes: ReadonlyMap<string, string> }> => {
  const held = new Map((await read<[string, unknown]>(t, HELD)).map(([who, names]) => [who, new Set(listed(names).filter((one) => one !== ''))]))
  const known = new Map<string, Set<string>>()
  const kinds = new Map<string, 'user' | 'client'>()
  for (const [kind, text] of [
    ['user', OF_PEOPLE],
    ['client', OF_CLIENTS],
  ] as const) {
    for (const [who, what] of await read<[string, string]>(t, text)) {
      kinds.set(who, kind)
      known.set(who, (known.get(who) ?? new Set()).add(what))
    }
  }
  const ids = new Set([...held.keys(), ...known.keys()])
  return {
    principals: new Map(
      [...ids].map((id) => [id, { kind: kinds.get(id) ?? 'client', id, held: held.get(id) ?? new Set(), recognised: known.get(id) ?? new Set() }]),
    ),
    anyone: new Set((await read<[string]>(t, ANYONE)).map(([one]) => one)),
    given: new Map((await read<[string, unknown]>(t, GIVEN)).map(([name, permissions]) => [name, listed(permissions)])),
    scopes: new Map(await read<[string, string]>(t, SCOPES)),
  }
}

const without = (after: Iterable<string>, before: ReadonlySet<string> | undefined): string[] => [...after].filter((one) => before?.has(one) !== true)

type Snapshot = Awaited<ReturnType<typeof readAuthority>>

/**
 * What a caller gained, in words, from one state to the next; empty when it is nothing. The caller may pass on what the caller holds. `own` are principals that
 * the caller controls already: itself, and what it created.
 */
export const gainsOf = (caller: string, own: Set<string>, before: Snapshot, after: Snapshot): string[] => {
  const may = before.principals.get(caller)?.held ?? new Set<string>()
  const lacks = (permissions: Iterable<string>): string[] => without(permissions, may)
  const gains: string[] = []
  for (const [id, now] of after.principals) {
    const was = before.principals.get(id)
    const more = lacks(without(now.held, was?.held))
    if (more.length > 0) gains.push(`${now.kind} ${id} gains ${more.join(', ')}`)
    if (was === undefined) own.add(id)
    const recognised = without(now.recognised, was?.recognised)
    if (own.has(id) || was === undefined || recognised.length === 0) continue
    const taken = lacks([...was.held, ...now.held])
    if (taken.length > 0) gains.push(`${now.kind} ${id}, who holds ${taken.join(', ')}, is recognised by ${recognised.join(', ')}`)
  }
  for (const one of without(after.anyone, before.anyone)) gains.push(`anyone: ${one}`)
  for (const [what, permissions] of after.given) {
    const missing = before.given.has(what) ? [] : lacks(permissions)
    if (missing.length > 0) gains.push(`${what}: ${missing.join(', ')}`)
  }
  for (const [scope, permission] of before.scopes) {
    if (after.scopes.get(scope) !== permission && lacks([permission]).length > 0) gains.push(`scope ${scope} no longer takes ${permission}`)
  }
  return gains
}
