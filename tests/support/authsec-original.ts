// A database of the original AuthSec, for tests: its tables and columns, with the loose constraints that its documentation describes.
import { PGlite } from '@electric-sql/pglite'
import type { SourceQuery } from '#shared/domains/import/source'

const SCHEMA = `
create table tenants (id uuid primary key, tenant_id uuid, tenant_db text, email text, username text, password_hash text, provider text default 'local',
  provider_id text, avatar text, name text, source text, status text, last_login timestamptz, tenant_domain text, created_at timestamptz, updated_at timestamptz);
create table users (id uuid primary key, client_id uuid, tenant_id uuid, project_id uuid, name text, username text, email text, password_hash text, tenant_domain text,
  provider text, provider_id text, provider_data jsonb, avatar_url text, active boolean, mfa_enabled boolean, mfa_verified boolean, mfa_method text[], external_id text,
  sync_source text, last_sync_at timestamptz, is_synced_user boolean, deleted_at timestamptz, temporary_password boolean, temporary_password_expires_at timestamptz,
  password_change_required boolean, is_primary_admin boolean, failed_login_attempts int, account_locked_at timestamptz, password_reset_required boolean,
  last_login timestamptz, created_at timestamptz, updated_at timestamptz, unique (email, tenant_id));
create table projects (id uuid primary key, name text, description text, user_id uuid, tenant_id uuid, client_id uuid, active boolean, deleted_at timestamptz,
  created_at timestamptz, updated_at timestamptz);
create table clients (id uuid primary key, client_id uuid unique, tenant_id uuid, project_id uuid, owner_id uuid, org_id uuid, name text, email text, status text, tags text[],
  active boolean, deleted boolean, last_login timestamptz, hydra_client_id text, oidc_enabled boolean, client_type text, agent_type text, spiffe_id text, description text,
  created_at timestamp, updated_at timestamp, deleted_at timestamp);
create table tenant_mappings (client_id uuid, tenant_id uuid);
create table tenant_domains (id uuid primary key, tenant_id uuid, domain text unique, kind text, is_primary boolean, is_verified boolean, verification_token text,
  created_at timestamptz);
create table groups (id uuid primary key, tenant_id uuid, name text unique, description text, created_at timestamptz, updated_at timestamptz);
create table user_groups (user_id uuid, group_id uuid, tenant_id uuid, primary key (user_id, group_id));
create table roles (id uuid primary key, tenant_id uuid, name text, description text, is_system boolean, created_at timestamptz, unique (tenant_id, name));
create table permissions (id uuid primary key, tenant_id uuid, resource text, action text, description text, full_permission_string text, created_at timestamptz);
create table role_permissions (role_id uuid, permission_id uuid, primary key (role_id, permission_id));
create table scopes (id uuid primary key, tenant_id uuid, name text, description text, usage text);
create table scope_permissions (scope_id uuid, permission_id uuid);
create table service_accounts (id uuid primary key, tenant_id uuid, name text, description text);
create table role_bindings (id uuid primary key, tenant_id uuid, user_id uuid, service_account_id uuid, role_id uuid, role_name text, username text, scope_type text,
  scope_id text, conditions jsonb, expires_at timestamptz, created_by uuid, created_at timestamptz);
create table totp_secrets (id uuid primary key, user_id uuid, tenant_id uuid, secret text, device_name varchar(100), device_type varchar(50) default 'generic',
  last_used bigint, is_active boolean default true, is_primary boolean default false, created_at bigint, updated_at bigint);
create table tenant_totp_secrets (id uuid primary key, user_id uuid, tenant_id uuid, secret text, device_name varchar(100), device_type varchar(50) default 'generic',
  last_used bigint, is_verified boolean default false, is_active boolean default true, is_primary boolean default false, created_at bigint, updated_at bigint);
create table totp_backup_codes (id uuid primary key, user_id uuid, tenant_id uuid, code varchar(64), is_used boolean default false, created_at bigint, used_at bigint);
create table mfa_methods (id uuid primary key, client_id uuid, user_id uuid, method_type varchar(50), display_name varchar(255), method_data jsonb,
  enabled boolean default false, method_subtype varchar(255), is_primary boolean default false, verified boolean default false, backup_codes text,
  enrolled_at timestamptz, expires_at timestamptz, last_used_at timestamptz, created_at timestamptz, updated_at timestamptz, unique (client_id, method_type));
create table credentials (id uuid primary key, client_id uuid, credential_id bytea, public_key bytea, attestation_type varchar(255), aaguid uuid, sign_count bigint default 0,
  transports text[], backup_eligible boolean default false, backup_state boolean default false, rp_id varchar(255), created_at timestamptz, updated_at timestamptz);
create table device_tokens (id uuid primary key, user_id uuid, tenant_id uuid, device_token varchar(500), platform varchar(20));
create table audit_events (id uuid primary key, tenant_id uuid, action text);
`

export type Original = {
  readonly query: SourceQuery
  readonly insert: (table: string, ...rows: readonly Readonly<Record<string, unknown>>[]) => Promise<void>
  readonly empty: () => Promise<void>
  readonly close: () => Promise<void>
}

export const authsecOriginal = async (): Promise<Original> => {
  const db = new PGlite()
  await db.exec(SCHEMA)
  return {
    query: async (text, params) => (await db.query<Readonly<Record<string, unknown>>>(text, [...params])).rows,
    insert: async (table, ...rows) => {
      for (const row of rows) {
        const names = Object.keys(row)
        await db.query(`insert into ${table} (${names.join(', ')}) values (${names.map((_, at) => `$${at + 1}`).join(', ')})`, Object.values(row))
      }
    },
    empty: async () => void (await db.exec(`truncate ${[...SCHEMA.matchAll(/create table (\w+)/g)].map(([, name]) => name).join(', ')}`)),
    close: () => db.close(),
  }
}
