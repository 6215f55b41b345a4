// The data that a tenant may export, row by row. Columns are listed individually, so that a new hash, key or sealed value is never included by
// accident.
import type { TenantDb } from '../engine/tenant.ts'

type Exported = { readonly columns: readonly string[]; readonly key: readonly string[] }

export const EXPORTED = {
  tenants: {
    columns: ['tenant_id', 'name', 'email', 'domain', 'source', 'status', 'settings', 'created_at', 'updated_at'],
    key: ['tenant_id'],
  },
  tenant_domains: { columns: ['id', 'domain', 'kind', 'is_primary', 'is_verified', 'verified_at', 'created_at'], key: ['id'] },
  projects: { columns: ['id', 'name', 'description', 'user_id', 'active', 'created_at', 'updated_at', 'deleted_at'], key: ['id'] },
  permissions: { columns: ['id', 'resource', 'action', 'description', 'is_system', 'created_at', 'updated_at'], key: ['id'] },
  roles: { columns: ['id', 'name', 'description', 'is_system', 'created_at', 'updated_at'], key: ['id'] },
  role_permissions: { columns: ['role_id', 'permission_id'], key: ['role_id', 'permission_id'] },
  groups: { columns: ['id', 'name', 'description', 'created_at', 'updated_at'], key: ['id'] },
  users: {
    columns: [
      ...[
        'id',
        'client_id',
        'project_id',
        'email',
        'email_verified_at',
        'name',
        'username',
        'avatar_url',
        'language',
        'provider',
        'provider_id',
        'provider_data',
      ],
      ...['external_id', 'sync_source', 'is_synced_user', 'last_sync_at', 'active', 'is_primary_admin', 'invited_by', 'last_login_at', 'created_at'],
      ...['updated_at', 'deleted_at'],
    ],
    key: ['id'],
  },
  user_groups: { columns: ['user_id', 'group_id', 'created_at'], key: ['user_id', 'group_id'] },
  federated_identities: { columns: ['id', 'user_id', 'issuer', 'subject', 'provider', 'email', 'last_login_at', 'created_at'], key: ['id'] },
  factors: { columns: ['id', 'user_id', 'kind', 'name', 'is_primary', 'confirmed_at', 'last_used_at', 'created_at'], key: ['id'] },
  sms_phones: { columns: ['factor_id', 'user_id', 'display'], key: ['factor_id'] },
  service_accounts: { columns: ['id', 'name', 'description', 'active', 'created_at', 'updated_at'], key: ['id'] },
  role_bindings: {
    columns: [
      ...[
        'id',
        'role_id',
        'user_id',
        'service_account_id',
        'group_id',
        'scope_type',
        'scope_id',
        'conditions',
        'expires_at',
        'created_by',
        'created_at',
      ],
    ],
    key: ['id'],
  },
  scopes: { columns: ['id', 'name', 'description', 'usage', 'created_at', 'updated_at'], key: ['id'] },
  scope_permissions: { columns: ['scope_id', 'permission_id'], key: ['scope_id', 'permission_id'] },
  clients: {
    columns: [
      ...['id', 'project_id', 'name', 'email', 'client_type', 'status', 'active', 'is_default', 'description', 'tags', 'owner_id', 'agent_type'],
      ...['spiffe_id', 'platform', 'selectors', 'redirect_uris', 'oidc_enabled', 'service_account_id', 'created_at', 'updated_at', 'deleted_at'],
    ],
    key: ['id'],
  },
  client_groups: { columns: ['client_id', 'group_id', 'created_at'], key: ['client_id', 'group_id'] },
  trust_domains: { columns: ['id', 'name', 'sequence', 'created_at'], key: ['id'] },
  registration_entries: {
    columns: [
      ...['id', 'spiffe_id', 'parent_id', 'selectors', 'agent_id', 'x509_seconds', 'jwt_seconds', 'audiences', 'admin', 'downstream'],
      ...['federates_with', 'created_by', 'valid_from', 'created_at', 'updated_at'],
    ],
    key: ['id'],
  },
  federated_bundles: {
    columns: ['trust_domain', 'endpoint', 'profile', 'bundle', 'sequence', 'fetched_at', 'hint_seconds', 'created_at', 'updated_at'],
    key: ['trust_domain'],
  },
  agents: { columns: ['id', 'owner_id', 'agent_type', 'status', 'created_by', 'created_at', 'updated_at'], key: ['id'] },
  delegation_policies: {
    columns: [
      ...[
        'id',
        'role_name',
        'agent_type',
        'allowed_permissions',
        'audience',
        'max_ttl_seconds',
        'enabled',
        'client_id',
        'impersonation',
        'created_by',
      ],
      ...['created_at', 'updated_at'],
    ],
    key: ['id'],
  },
  oauth_detail_types: { columns: ['id', 'type', 'title', 'json_schema', 'limits', 'resource_server_id', 'created_at', 'updated_at'], key: ['id'] },
  oauth_issuers: {
    columns: [
      ...[
        'id',
        'name',
        'issuer',
        'active',
        'accepts_identity',
        'accepts_jwt',
        'jwks_uri',
        'jwks',
        'subject_mapping',
        'scopes',
        'sends',
        'client_ids',
      ],
      ...['sent_scopes', 'created_at', 'updated_at'],
    ],
    key: ['id'],
  },
  attestors: {
    columns: [
      ...['id', 'name', 'kind', 'issuer', 'jwks_uri', 'jwks', 'algorithms', 'audience', 'key_binding', 'max_age_seconds', 'rules', 'regions'],
      ...['certificate_authorities', 'revoked_serials', 'token_review_url', 'token_review_ca', 'trust_domain', 'active', 'created_at', 'updated_at'],
    ],
    key: ['id'],
  },
} as const satisfies Record<string, Exported>

export type ExportedKind = keyof typeof EXPORTED
export const EXPORTED_KINDS = Object.keys(EXPORTED) as readonly ExportedKind[]

/** The next rows of a kind as JSON texts, and the cursor after them. */
export const readExported = async (
  t: TenantDb,
  kind: ExportedKind,
  after: readonly string[] | undefined,
  limit: number,
): Promise<{ readonly rows: readonly string[]; readonly last: readonly string[] | undefined }> => {
  const { columns, key }: Exported = EXPORTED[kind]
  const keys = key.join(', ')
  const beyond = after === undefined ? '' : `and (${keys}) > (${key.map((_, at) => `$${at + 3}::uuid`).join(', ')})`
  const found = (await t.run({
    text: `select row_to_json(r)::text, ${key.map((name) => `r.${name}::text`).join(', ')}
      from (select ${columns.join(', ')} from authsec.${kind} where tenant_id = $1 ${beyond} order by ${keys} limit $2) r`,
    params: [t.tenantId, limit, ...(after ?? [])],
    arrays: true,
  })) as string[][]
  return { rows: found.map(([row = '']) => row), last: found.at(-1)?.slice(1) }
}
